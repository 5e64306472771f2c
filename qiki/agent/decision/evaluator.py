"""The evaluator: accepts or refuses each of a tick's proposals.

A proposal is refused for a fault of its own, or because of one that was accepted before it. They are judged by rank;
a proposal that depends on others waits for them. So no actuator gets commands from two proposals, and the result does
not depend on the order in which proposals came.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from qiki.agent.decision.limits import MAX_DURATION_S, ActuatorLimits, RefusalReason, out_of_range
from qiki.agent.engine import EngineResult
from qiki.agent.mode.rules import WANTED
from qiki.agent.proposals import Proposal
from qiki.botspec.actuators import ActuatorFamily
from qiki.contracts.enums import FSMState, ProposalType

Name = tuple[str, str]
"""Engine and key of a proposal, unique within a tick."""
CLOSED = {FSMState.BOOTING: "booting", FSMState.ERROR_STATE: "safe mode", FSMState.SHUTDOWN: "shutting down"}
"""States in which only proposals of the rules are accepted."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A proposal of one tick, of an engine or of the rules; `key` is unique within its engine, and never empty."""

    engine: str
    key: str
    proposal: Proposal
    from_rules: bool = False

    @property
    def name(self) -> Name:
        """Engine and key."""
        return self.engine, self.key

    @property
    def rank(self) -> tuple[int, float, float, str, str]:
        """Sort key: the lowest is judged first."""
        proposal = self.proposal
        return proposal.type, -proposal.priority, -proposal.confidence, self.engine, self.key

    def names(self, keys: Iterable[str]) -> Iterator[Name]:
        """Return the names of proposals of the same engine."""
        return ((self.engine, key) for key in keys)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The verdict on a candidate; without a refusal it is accepted."""

    candidate: Candidate
    refusal: RefusalReason | None = None


def candidates(engine: str, proposals: Iterable[Proposal], from_rules: bool = False) -> tuple[Candidate, ...]:
    """Return an engine's proposals of one tick as candidates; the place serves as key where there is none."""
    return tuple(
        Candidate(engine, proposal.key or f"#{place}", proposal, from_rules) for place, proposal in enumerate(proposals)
    )


def lockout_reason(state: FSMState, results: Iterable[EngineResult], vehicle: FSMState | None) -> RefusalReason | None:
    """Return why proposals of engines are refused now; None when they are not.

    A fault in this tick's results is a cause of SAFE_MODE, which begins with the next tick.
    """
    if state in CLOSED:
        return RefusalReason(CLOSED[state])
    for result in results:
        if result.fault is not None:
            return RefusalReason(f"engine {result.name} is at fault")
    return None if vehicle is WANTED[state] else RefusalReason("the vehicle has not taken its mode yet")


@dataclass(frozen=True, slots=True)
class Evaluator:
    """Judges by the limits of the vehicle and by the lowest confidence that is allowed."""

    limits: ActuatorLimits
    confidence_threshold: float

    def evaluate(self, proposed: Sequence[Candidate], lockout: RefusalReason | None = None) -> tuple[Verdict, ...]:
        """Judge every candidate, in the order for sending; `lockout` refuses all that are not of the rules."""
        table = _Table(self.limits)
        times = Counter(candidate.name for candidate in proposed)
        undecided = Counter(times)
        waiting = sorted(proposed, key=lambda candidate: candidate.rank)
        while waiting:
            # The first whose dependencies are decided; without one, they wait for each other in a circle.
            following = next((one for one in waiting if not _waits(one, undecided)), waiting[0])
            waiting.remove(following)
            undecided[following.name] -= 1
            table.judge(following, next(self._faults(following, lockout, times[following.name]), None))
        return tuple(table.verdicts)

    def _faults(self, candidate: Candidate, lockout: RefusalReason | None, times: int) -> Iterator[RefusalReason]:
        proposal = candidate.proposal
        if times > 1:
            text = f"key {candidate.key!r} is given {times} times (expected keys that differ)"
            yield RefusalReason(text, "the key is given several times")
        if lockout is not None and not candidate.from_rules:
            yield lockout
        if proposal.confidence < self.confidence_threshold:
            text = f"confidence {proposal.confidence:g} is below {self.confidence_threshold:g}"
            yield RefusalReason(text, "confidence is too low")
        if not proposal.justification.strip():
            yield RefusalReason("no justification")
        if proposal.type is ProposalType.PROPOSAL_TYPE_UNSPECIFIED:
            yield RefusalReason("no type")
        for name, value in (("priority", proposal.priority), ("confidence", proposal.confidence)):
            if not 0.0 <= value <= 1.0:
                yield out_of_range(name, value, "0 to 1")
        if not 0.0 <= proposal.expected_duration_s <= MAX_DURATION_S:
            yield out_of_range("expected_duration_s", proposal.expected_duration_s, f"0 to {MAX_DURATION_S:.0f}")
        yield from self._action_faults(candidate)

    def _action_faults(self, candidate: Candidate) -> Iterator[RefusalReason]:
        actions = candidate.proposal.actions
        for action in actions:
            yield from self.limits.faults(action)
            if not candidate.from_rules and self.limits.actuators[action.actuator].type is ActuatorFamily.SYSTEM:
                yield RefusalReason(f"{action.actuator} is the agent's own: it follows the state machine")
        # Of two equal commands the later one would undo the earlier.
        repeated = Counter((self.limits.resource(action.actuator), action.command) for action in actions)
        for (resource, command), times in repeated.items():
            if times > 1:
                text = f"{resource} is given {command.name} {times} times (expected once)"
                yield RefusalReason(text, f"{resource} twice")


class _Table:
    """The verdicts so far, and the resources that accepted candidates hold."""

    def __init__(self, limits: ActuatorLimits) -> None:
        self.verdicts: list[Verdict] = []
        self._limits = limits
        self._accepted: dict[Name, Candidate] = {}
        self._holders: dict[str, Name] = {}

    def judge(self, candidate: Candidate, fault: RefusalReason | None) -> None:
        """Accept a candidate that has no fault and no obstacle among those accepted before."""
        refusal = fault or next(self._obstacles(candidate), None)
        self.verdicts.append(Verdict(candidate, refusal))
        if refusal is None:
            self._accepted[candidate.name] = candidate
            self._holders |= dict.fromkeys(self._resources(candidate), candidate.name)

    def _obstacles(self, candidate: Candidate) -> Iterator[RefusalReason]:
        proposal = candidate.proposal
        for name in candidate.names(proposal.depends_on):
            if name not in self._accepted:
                yield RefusalReason(f"depends on {name[1]}, which is not accepted")
        for resource in self._resources(candidate):
            if resource in self._holders:
                holder = "/".join(self._holders[resource])
                yield RefusalReason(f"{resource} is taken by {holder}", f"{resource} is taken")
        for name, accepted in self._accepted.items():
            against = name in candidate.names(proposal.conflicts_with)
            if against or candidate.name in accepted.names(accepted.proposal.conflicts_with):
                yield RefusalReason(f"conflicts with {'/'.join(name)}")

    def _resources(self, candidate: Candidate) -> list[str]:
        roles = (action.actuator for action in candidate.proposal.actions)
        return list(dict.fromkeys(map(self._limits.resource, roles)))


def _waits(candidate: Candidate, undecided: Mapping[Name, int]) -> bool:
    """Return whether a dependency is not decided yet; one that depends on itself always waits."""
    return any(undecided.get(name, 0) > 0 for name in candidate.names(candidate.proposal.depends_on))
