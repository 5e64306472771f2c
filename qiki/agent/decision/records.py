"""From verdicts to commands, and from what became of them to the record of the decision."""

from dataclasses import dataclass
from itertools import zip_longest
from uuid import UUID

from qiki.agent.decision.evaluator import Candidate, Verdict
from qiki.agent.decision.limits import MAX_DURATION_S, Limits
from qiki.agent.decision.refusal import Refusal
from qiki.agent.proposals import Action
from qiki.agent.sim_instant import SimInstant
from qiki.agent.vehicle import Outcome
from qiki.contracts.actuators import ActuatorCommand
from qiki.contracts.enums import CommandType, FSMState, ProposalStatus, Unit
from qiki.contracts.events import PROPOSAL_ACCEPTED, PROPOSAL_REFUSED, Decision, EventKind
from qiki.contracts.events.agent import ActionTaken, Evidence

DONE = frozenset({ProposalStatus.ACCEPTED, ProposalStatus.EXECUTED})


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a verdict.

    Attributes:
        reason: for people
        cause: the same as long as it is the same reason
        outcomes: of the commands that were sent, in order
    """

    verdict: Verdict
    status: ProposalStatus
    reason: str = ""
    cause: str = ""
    outcomes: tuple[Outcome, ...] = ()

    @property
    def onset(self) -> tuple[str, ...]:
        """The same as long as the same becomes of the same proposal."""
        return (*self.verdict.candidate.name, self.status.name, self.cause)


class Onsets:
    """Lets through what is news: every command that was obeyed, and the beginning of anything else that lasts."""

    def __init__(self) -> None:
        self._lasting: frozenset[tuple[str, ...]] = frozenset()

    def news(self, results: tuple[Result, ...]) -> tuple[Result, ...]:
        """Of one tick's results, those to be told."""
        before, self._lasting = self._lasting, frozenset(result.onset for result in results)
        return tuple(
            result for result in results if result.status is ProposalStatus.EXECUTED or result.onset not in before
        )


def proposal_id(engine: str, key: str, stamp: SimInstant) -> UUID:
    """The identity of a proposal of this tick."""
    return stamp.id("proposal", engine, key)


def commands(candidate: Candidate, limits: Limits, stamp: SimInstant) -> tuple[ActuatorCommand, ...]:
    """The commands of a candidate's actions, which must be within the limits."""
    confidence = candidate.proposal.confidence
    return tuple(
        _command(
            action, limits.actuator(action.actuator).id, stamp.id("command", *candidate.name, index), confidence, stamp
        )
        for index, action in enumerate(candidate.proposal.actions)
    )


def refused(verdict: Verdict, refusal: Refusal) -> Result:
    """What becomes of one that the agent refuses."""
    return Result(verdict, ProposalStatus.REJECTED, refusal.text, refusal.reason)


def result_of(verdict: Verdict, outcomes: tuple[Outcome, ...]) -> Result:
    """What became of an accepted verdict; all of its commands but the last are obeyed."""
    last = outcomes[-1] if outcomes else None
    if last is None:
        return Result(verdict, ProposalStatus.ACCEPTED)
    if last.accepted:
        return Result(verdict, ProposalStatus.EXECUTED, outcomes=outcomes)
    if last.accepted is None:  # why nobody answers does not matter
        return Result(verdict, ProposalStatus.EXPIRED, _words("the vehicle does not answer", last), "", outcomes)
    return Result(verdict, ProposalStatus.REJECTED, _words("the vehicle refuses", last), last.message, outcomes)


def event_of(result: Result) -> EventKind:
    """The event that a result is."""
    return PROPOSAL_ACCEPTED if result.status in DONE else PROPOSAL_REFUSED


def decision(result: Result, state: FSMState, stamp: SimInstant, inputs: tuple[Evidence, ...]) -> Decision:
    """The record of a result; it rests on the agent's inputs where the proposal names nothing."""
    candidate = result.verdict.candidate
    proposal = candidate.proposal
    return Decision(
        source=candidate.engine,
        ts_epoch=stamp.t_s,
        run_id=stamp.run_id,
        tick=stamp.tick,
        state=state,
        proposal_id=proposal_id(candidate.engine, candidate.key, stamp),
        type=proposal.type,
        status=result.status,
        justification=proposal.justification,
        reason=result.reason,
        priority=proposal.priority,
        confidence=proposal.confidence,
        actions=tuple(_taken(action, outcome) for action, outcome in zip_longest(proposal.actions, result.outcomes)),
        rests_on=proposal.rests_on or inputs,
    )


def _words(what: str, outcome: Outcome) -> str:
    return f"{what}: {outcome.message}" if outcome.message else what


def _timeout_ms(action: Action) -> int:
    """Within what the field holds, as that of a refused proposal need not be."""
    return round(min(max(action.duration_s, 0.0), MAX_DURATION_S) * 1000)


def _command(action: Action, actuator: UUID, command: UUID, confidence: float, stamp: SimInstant) -> ActuatorCommand:
    return ActuatorCommand(
        actuator_id=str(actuator),
        command_type=action.command,
        value=int(action.value) if action.command is CommandType.SET_MODE else action.value,
        unit=Unit[action.unit or "UNIT_UNSPECIFIED"],
        timeout_ms=_timeout_ms(action),
        confidence=confidence,
        command_id=str(command),
        timestamp=stamp.moment,
        ack_required=True,
    )


def _taken(action: Action, outcome: Outcome | None) -> ActionTaken:
    """An action as the record shows it."""
    return ActionTaken(
        actuator=action.actuator,
        command=action.command.name,
        value=action.value,
        timeout_ms=_timeout_ms(action),
        accepted=outcome.accepted if outcome else None,
        message=outcome.message if outcome else "",
    )
