"""The evaluator: which of a tick's proposals are accepted, and why the others are not.

A proposal is refused for what it is, or for what was accepted before it. They are taken by rank; one that depends on
others waits for them. So no actuator is given to two, and the order in which proposals came does not matter.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from q_core_agent.limits import MAX_DURATION_S, Limits
from q_core_agent.proposals import Proposal
from qiki.botspec.actuators import ActuatorFamily
from qiki.contracts.enums import FSMState, ProposalType

CLOSED = {
    FSMState.BOOTING: "booting",
    FSMState.ERROR_STATE: "safe mode",
    FSMState.SHUTDOWN: "shutting down",
}
"""States in which only the rules are heard, and why."""


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
    """What becomes of a candidate; `reason` says why it is refused, and is empty when it is accepted."""

    candidate: Candidate
    reason: str = ""

    @property
    def accepted(self) -> bool:
        """Whether its commands may be sent."""
        return not self.reason


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

    def evaluate(self, heard: Sequence[Candidate], state: FSMState) -> tuple[Verdict, ...]:
        """A verdict on every candidate; the accepted ones in the order in which they are to be done."""
        table = _Table(self.limits)
        times = Counter(candidate.name for candidate in heard)
        undecided = Counter(times)
        waiting = sorted(heard, key=lambda candidate: candidate.rank)
        while waiting:
            # The first whose dependencies are decided; where there is none, they wait for one another.
            following = next((one for one in waiting if not _awaits(one, undecided)), waiting[0])
            waiting.remove(following)
            undecided[following.name] -= 1
            table.put(following, self._own_fault(following, state, times[following.name]))
        return tuple(table.verdicts)

    def _own_fault(self, candidate: Candidate, state: FSMState, times: int) -> str | None:
        proposal = candidate.proposal
        if times > 1:
            return f"key {candidate.key!r} is given {times} times (expected keys that differ)"
        if state in CLOSED and not candidate.ruled:
            return CLOSED[state]
        if proposal.confidence < self.confidence_threshold:
            return f"confidence {proposal.confidence:g} is below {self.confidence_threshold:g}"
        return next(self._range_faults(candidate), None)

    def _range_faults(self, candidate: Candidate) -> Iterator[str]:
        proposal = candidate.proposal
        if not proposal.justification.strip():
            yield "no justification"
        if proposal.type is ProposalType.PROPOSAL_TYPE_UNSPECIFIED:
            yield "no type"
        for name, value in (("priority", proposal.priority), ("confidence", proposal.confidence)):
            if not 0.0 <= value <= 1.0:
                yield f"{name} is {value:g} (expected 0 to 1)"
        if not 0.0 <= proposal.expected_duration_s <= MAX_DURATION_S:
            yield f"expected_duration_s is {proposal.expected_duration_s:g} (expected 0 to {MAX_DURATION_S:.0f})"
        for action in proposal.actions:
            yield from self.limits.faults(action)
            if not candidate.ruled and self.limits.actuator(action.actuator).type is ActuatorFamily.SYSTEM:
                yield f"{action.actuator} is the agent's own: it follows the state machine"


class _Table:
    """The verdicts so far, and what the accepted ones hold."""

    def __init__(self, limits: Limits) -> None:
        self.verdicts: list[Verdict] = []
        self._limits = limits
        self._accepted: dict[tuple[str, str], Candidate] = {}
        self._held: dict[str, tuple[str, str]] = {}

    def put(self, candidate: Candidate, fault: str | None) -> None:
        """Accept a candidate that is without fault, when nothing accepted stands in its way."""
        reason = fault or next(self._obstacles(candidate), "")
        self.verdicts.append(Verdict(candidate, reason))
        if not reason:
            self._accepted[candidate.name] = candidate
            self._held |= dict.fromkeys(self._resources(candidate), candidate.name)

    def _obstacles(self, candidate: Candidate) -> Iterator[str]:
        proposal = candidate.proposal
        for name in candidate.names(proposal.depends_on):
            if name not in self._accepted:
                yield f"depends on {name[1]}, which is not accepted"
        for resource in self._resources(candidate):
            if resource in self._held:
                yield f"{resource} is taken by {_said(self._held[resource])}"
        for name, accepted in self._accepted.items():
            against = name in candidate.names(proposal.conflicts_with)
            if against or candidate.name in accepted.names(accepted.proposal.conflicts_with):
                yield f"conflicts with {_said(name)}"

    def _resources(self, candidate: Candidate) -> list[str]:
        roles = (action.actuator for action in candidate.proposal.actions)
        return list(dict.fromkeys(map(self._limits.resource, roles)))


def _awaits(candidate: Candidate, undecided: Mapping[tuple[str, str], int]) -> bool:
    """Whether something that it depends on is to be decided yet; one that depends on itself never will be."""
    return any(undecided.get(name, 0) > 0 for name in candidate.names(candidate.proposal.depends_on))


def _said(name: tuple[str, str]) -> str:
    return "/".join(name)
