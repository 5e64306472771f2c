"""Dispatch: the commands of accepted proposals, sent in order, and the record of each proposal's result."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Annotated

from qiki.agent.decision.evaluator import Candidate, Name, Verdict
from qiki.agent.decision.limits import MAX_DURATION_S, ActuatorLimits, RefusalReason
from qiki.agent.proposals import Action
from qiki.agent.sim_instant import SimInstant
from qiki.agent.vehicle import Outcome, VehicleLink
from qiki.contracts.actuators import ActuatorCommand
from qiki.contracts.enums import CommandType, FSMState, ProposalStatus, Unit
from qiki.contracts.events import PROPOSAL_ACCEPTED, PROPOSAL_REFUSED, ActionTaken, Decision, EventKind, Evidence
from qiki.state import IN_ORDER, State, Stateful

DONE = frozenset({ProposalStatus.ACCEPTED, ProposalStatus.EXECUTED})


@dataclass(frozen=True, slots=True)
class ProposalResult:
    """The result of a proposal: why it is not done, and the outcomes of the commands that were sent.

    `cause` is the same for the same reason, also where the reason's figures change.
    """

    verdict: Verdict
    status: ProposalStatus
    reason: str = ""
    cause: str = ""
    outcomes: tuple[Outcome, ...] = ()

    @property
    def event(self) -> EventKind:
        """The kind of its event."""
        return PROPOSAL_ACCEPTED if self.status in DONE else PROPOSAL_REFUSED


async def dispatch(
    verdicts: Sequence[Verdict], vehicle: VehicleLink, limits: ActuatorLimits, instant: SimInstant
) -> tuple[ProposalResult, ...]:
    """Send the commands of accepted proposals, unless one depends on a proposal that the vehicle did not do."""
    results: list[ProposalResult] = []
    done: set[Name] = set()
    for verdict in verdicts:
        refusal = verdict.refusal or _undone(verdict, done)
        if refusal is not None:
            results.append(refused(verdict, refusal))
            continue
        outcomes: list[Outcome] = []
        for command in _commands(verdict, limits, instant):
            outcomes.append(await vehicle.send(command))
            if not outcomes[-1].accepted:
                break
        results.append(_result(verdict, tuple(outcomes)))
        if results[-1].status in DONE:
            done.add(verdict.candidate.name)
    return tuple(results)


def refused(verdict: Verdict, refusal: RefusalReason) -> ProposalResult:
    """Return the result of a proposal that the agent refuses."""
    return ProposalResult(verdict, ProposalStatus.REJECTED, refusal.text, refusal.cause)


def _commands(verdict: Verdict, limits: ActuatorLimits, instant: SimInstant) -> tuple[ActuatorCommand, ...]:
    candidate = verdict.candidate
    return tuple(
        ActuatorCommand(
            actuator_id=str(limits.actuators[action.actuator].id),
            command_type=action.command,
            value=int(action.value) if action.command is CommandType.SET_MODE else action.value,
            unit=Unit[action.unit or "UNIT_UNSPECIFIED"],
            timeout_ms=_timeout_ms(action),
            confidence=candidate.proposal.confidence,
            command_id=_command_id(candidate, index, instant),
            timestamp=instant.moment,
            ack_required=True,
        )
        for index, action in enumerate(candidate.proposal.actions)
    )


def _timeout_ms(action: Action) -> int:
    """Return how long a command holds, cut to what the field can hold: a refused action may ask for more."""
    return round(min(max(action.duration_s, 0.0), MAX_DURATION_S) * 1000)


class RepeatFilter(Stateful):
    """Drops results that only repeat those of the last tick; commands that the vehicle executed always pass."""

    STATE = State(_last=Annotated[frozenset[tuple[str, ...]], IN_ORDER])

    def __init__(self) -> None:
        self._last: frozenset[tuple[str, ...]] = frozenset()

    def new(self, results: tuple[ProposalResult, ...]) -> tuple[ProposalResult, ...]:
        """Return the results of one tick that deserve an event."""
        before, self._last = self._last, frozenset(map(_identity, results))
        executed = ProposalStatus.EXECUTED
        return tuple(one for one in results if one.status is executed or _identity(one) not in before)


def decision(result: ProposalResult, state: FSMState, instant: SimInstant, inputs: tuple[Evidence, ...]) -> Decision:
    """Return a result's event body; it rests on the agent's inputs where the proposal names no evidence."""
    candidate = result.verdict.candidate
    proposal = candidate.proposal
    return Decision(
        source=candidate.engine,
        ts_epoch=instant.t_s,
        run_id=instant.run_id,
        tick=instant.tick,
        state=state,
        proposal_id=instant.id("proposal", *candidate.name),
        type=proposal.type,
        status=result.status,
        justification=proposal.justification,
        reason=result.reason,
        priority=proposal.priority,
        confidence=proposal.confidence,
        actions=tuple(
            _taken(action, outcome, _command_id(candidate, index, instant))
            for index, (action, outcome) in enumerate(zip_longest(proposal.actions, result.outcomes))
        ),
        rests_on=proposal.rests_on or inputs,
    )


def _undone(verdict: Verdict, done: set[Name]) -> RefusalReason | None:
    candidate = verdict.candidate
    missing = [key for engine, key in candidate.names(candidate.proposal.depends_on) if (engine, key) not in done]
    return RefusalReason(f"depends on {missing[0]}, which the vehicle has not done") if missing else None


def _result(verdict: Verdict, outcomes: tuple[Outcome, ...]) -> ProposalResult:
    """Return the result of an accepted proposal; the vehicle accepted all of its commands but perhaps the last."""
    if not outcomes:
        return ProposalResult(verdict, ProposalStatus.ACCEPTED)
    last = outcomes[-1]
    if last.accepted:
        return ProposalResult(verdict, ProposalStatus.EXECUTED, outcomes=outcomes)
    why = f": {last.message}" if last.message else ""
    if last.accepted is None:  # the cause stays the same, however the network reports the silence
        return ProposalResult(verdict, ProposalStatus.EXPIRED, f"the vehicle does not answer{why}", "", outcomes)
    return ProposalResult(verdict, ProposalStatus.REJECTED, f"the vehicle refuses{why}", last.message, outcomes)


def _identity(result: ProposalResult) -> tuple[str, ...]:
    return (*result.verdict.candidate.name, result.status.name, result.cause)


def _taken(action: Action, outcome: Outcome | None, command_id: str) -> ActionTaken:
    return ActionTaken(
        actuator=action.actuator,
        command=action.command.name,
        value=action.value,
        timeout_ms=_timeout_ms(action),
        accepted=outcome.accepted if outcome else None,
        message=outcome.message if outcome else "",
        command_id=command_id,
    )


def _command_id(candidate: Candidate, index: int, instant: SimInstant) -> str:
    return str(instant.id("command", *candidate.name, index))
