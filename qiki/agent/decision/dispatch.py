"""Dispatch: the commands of accepted proposals, sent in order, and the result of each proposal."""

from collections.abc import Sequence
from dataclasses import dataclass

from qiki.agent.decision.evaluator import Name, Verdict
from qiki.agent.decision.limits import MAX_DURATION_S, ActuatorLimits
from qiki.agent.decision.refusal import RefusalReason
from qiki.agent.proposals import Action
from qiki.agent.sim_instant import SimInstant
from qiki.agent.vehicle import Outcome, VehicleLink
from qiki.contracts.actuators import ActuatorCommand
from qiki.contracts.enums import CommandType, ProposalStatus, Unit

DONE = frozenset({ProposalStatus.ACCEPTED, ProposalStatus.EXECUTED})


@dataclass(frozen=True, slots=True)
class ProposalResult:
    """The result of a proposal.

    Attributes:
        reason: why it is not done, for people
        cause: the same for the same reason, also where the reason's figures change
        outcomes: of the commands that were sent, in order
    """

    verdict: Verdict
    status: ProposalStatus
    reason: str = ""
    cause: str = ""
    outcomes: tuple[Outcome, ...] = ()


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
        for command in commands(verdict, limits, instant):
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


def commands(verdict: Verdict, limits: ActuatorLimits, instant: SimInstant) -> tuple[ActuatorCommand, ...]:
    """Return the commands of a proposal's actions, which must be within the limits."""
    candidate = verdict.candidate
    return tuple(
        ActuatorCommand(
            actuator_id=str(limits.actuator(action.actuator).id),
            command_type=action.command,
            value=int(action.value) if action.command is CommandType.SET_MODE else action.value,
            unit=Unit[action.unit or "UNIT_UNSPECIFIED"],
            timeout_ms=timeout_ms(action),
            confidence=candidate.proposal.confidence,
            command_id=str(instant.id("command", *candidate.name, index)),
            timestamp=instant.moment,
            ack_required=True,
        )
        for index, action in enumerate(candidate.proposal.actions)
    )


def timeout_ms(action: Action) -> int:
    """Return how long a command holds, cut to what the field can hold: a refused action may ask for more."""
    return round(min(max(action.duration_s, 0.0), MAX_DURATION_S) * 1000)


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
