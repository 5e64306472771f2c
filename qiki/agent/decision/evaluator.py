"""The evaluator: which of a tick's proposals are accepted, and why the others are not.

A proposal is refused for what it is, or for what was accepted before it. They are taken by rank; one that depends on
others waits for them. So no actuator is given to two, and the order in which proposals came does not matter.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from qiki.agent.decision.limits import MAX_DURATION_S, Limits, out_of_range
from qiki.agent.decision.refusal import Refusal
from qiki.agent.proposals import Action, Proposal
from qiki.botspec.actuators import ActuatorFamily
from qiki.contracts.enums import ProposalType


@dataclass(frozen=True, slots=True)
class Candidate:
    """A proposal of one tick.

    Attributes:
        key: tells it apart from the others of its engine; never empty
        ruled: it is the rule engine's
    """

    engine: str
    key: str
    proposal: Proposal
    ruled: bool = False

    @property
    def name(self) -> tuple[str, str]:
        """What it goes by in its tick."""
        return self.engine, self.key

    @property
    def rank(self) -> tuple[int, float, float, str, str]:
        """The lower, the earlier it is heard."""
        proposal = self.proposal
        return proposal.type, -proposal.priority, -proposal.confidence, self.engine, self.key

    def names(self, keys: Iterable[str]) -> Iterator[tuple[str, str]]:
        """The proposals of its own engine that go by these keys."""
        return ((self.engine, key) for key in keys)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a candidate: it is refused, or accepted."""

    candidate: Candidate
    refusal: Refusal | None = None

    @property
    def accepted(self) -> bool:
        """Whether its commands may be sent."""
        return self.refusal is None


def candidates(engine: str, proposals: Iterable[Proposal], ruled: bool = False) -> tuple[Candidate, ...]:
    """An engine's proposals of one tick; those without a key go by their place."""
    return tuple(
        Candidate(engine, proposal.key or f"#{place}", proposal, ruled) for place, proposal in enumerate(proposals)
    )


@dataclass(frozen=True, slots=True)
class Evaluator:
    """Judges by the vehicle's limits and the least confidence that is asked for."""

    limits: Limits
    confidence_threshold: float

    def evaluate(self, heard: Sequence[Candidate], lockout_reason: Refusal | None = None) -> tuple[Verdict, ...]:
        """A verdict on every candidate; the accepted ones in the order in which they are to be done.

        Args:
            lockout_reason: why all but the rules' are refused
        """
        table = _Table(self.limits)
        times = Counter(candidate.name for candidate in heard)
        undecided = Counter(times)
        waiting = sorted(heard, key=lambda candidate: candidate.rank)
        while waiting:
            # The first whose dependencies are decided; where there is none, they wait for one another.
            following = next((one for one in waiting if not _awaits(one, undecided)), waiting[0])
            waiting.remove(following)
            undecided[following.name] -= 1
            table.put(following, self._own_fault(following, lockout_reason, times[following.name]))
        return tuple(table.verdicts)

    def _own_fault(self, candidate: Candidate, lockout_reason: Refusal | None, times: int) -> Refusal | None:
        proposal = candidate.proposal
        if times > 1:
            text = f"key {candidate.key!r} is given {times} times (expected keys that differ)"
            return Refusal(text, "the key is given several times")
        if lockout_reason is not None and not candidate.ruled:
            return lockout_reason
        if proposal.confidence < self.confidence_threshold:
            text = f"confidence {proposal.confidence:g} is below {self.confidence_threshold:g}"
            return Refusal(text, "confidence is too low")
        return next(self._range_faults(candidate), None)

    def _range_faults(self, candidate: Candidate) -> Iterator[Refusal]:
        proposal = candidate.proposal
        if not proposal.justification.strip():
            yield Refusal("no justification")
        if proposal.type is ProposalType.PROPOSAL_TYPE_UNSPECIFIED:
            yield Refusal("no type")
        for name, value in (("priority", proposal.priority), ("confidence", proposal.confidence)):
            if not 0.0 <= value <= 1.0:
                yield out_of_range(name, value, "0 to 1")
        if not 0.0 <= proposal.expected_duration_s <= MAX_DURATION_S:
            yield out_of_range("expected_duration_s", proposal.expected_duration_s, f"0 to {MAX_DURATION_S:.0f}")
        for action in proposal.actions:
            yield from self.limits.faults(action)
            if not candidate.ruled and self.limits.actuator(action.actuator).type is ActuatorFamily.SYSTEM:
                yield Refusal(f"{action.actuator} is the agent's own: it follows the state machine")
        yield from self._repeated(proposal.actions)

    def _repeated(self, actions: Sequence[Action]) -> Iterator[Refusal]:
        """What is told the same twice: the later one would undo the earlier."""
        told = Counter((self.limits.resource(action.actuator), action.command) for action in actions)
        for (resource, command), times in told.items():
            if times > 1:
                yield Refusal(f"{resource} is given {command.name} {times} times (expected once)", f"{resource} twice")


class _Table:
    """The verdicts so far, and what the accepted ones hold."""

    def __init__(self, limits: Limits) -> None:
        self.verdicts: list[Verdict] = []
        self._limits = limits
        self._accepted: dict[tuple[str, str], Candidate] = {}
        self._held: dict[str, tuple[str, str]] = {}

    def put(self, candidate: Candidate, fault: Refusal | None) -> None:
        """Accept a candidate that is without fault, when nothing accepted stands in its way."""
        refusal = fault or next(self._obstacles(candidate), None)
        self.verdicts.append(Verdict(candidate, refusal))
        if refusal is None:
            self._accepted[candidate.name] = candidate
            self._held |= dict.fromkeys(self._resources(candidate), candidate.name)

    def _obstacles(self, candidate: Candidate) -> Iterator[Refusal]:
        proposal = candidate.proposal
        for name in candidate.names(proposal.depends_on):
            if name not in self._accepted:
                yield Refusal(f"depends on {name[1]}, which is not accepted")
        for resource in self._resources(candidate):
            if resource in self._held:
                yield Refusal(f"{resource} is taken by {_said(self._held[resource])}", f"{resource} is taken")
        for name, accepted in self._accepted.items():
            against = name in candidate.names(proposal.conflicts_with)
            if against or candidate.name in accepted.names(accepted.proposal.conflicts_with):
                yield Refusal(f"conflicts with {_said(name)}")

    def _resources(self, candidate: Candidate) -> list[str]:
        roles = (action.actuator for action in candidate.proposal.actions)
        return list(dict.fromkeys(map(self._limits.resource, roles)))


def _awaits(candidate: Candidate, undecided: Mapping[tuple[str, str], int]) -> bool:
    """Whether something that it depends on is to be decided yet; one that depends on itself never will be."""
    return any(undecided.get(name, 0) > 0 for name in candidate.names(candidate.proposal.depends_on))


def _said(name: tuple[str, str]) -> str:
    return "/".join(name)
