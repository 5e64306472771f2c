"""The record of each decision, as an event."""

from itertools import zip_longest

from qiki.agent.decision.dispatch import DONE, ProposalResult, timeout_ms
from qiki.agent.proposals import Action
from qiki.agent.sim_instant import SimInstant
from qiki.agent.vehicle import Outcome
from qiki.contracts.enums import FSMState, ProposalStatus
from qiki.contracts.events import PROPOSAL_ACCEPTED, PROPOSAL_REFUSED, Decision, EventKind
from qiki.contracts.events.agent import ActionTaken, Evidence


class RepeatFilter:
    """Drops results that only repeat those of the last tick; commands that the vehicle executed always pass."""

    def __init__(self) -> None:
        self._last: frozenset[tuple[str, ...]] = frozenset()

    def new(self, results: tuple[ProposalResult, ...]) -> tuple[ProposalResult, ...]:
        """Return the results of one tick that deserve an event."""
        before, self._last = self._last, frozenset(map(_identity, results))
        return tuple(
            result for result in results if result.status is ProposalStatus.EXECUTED or _identity(result) not in before
        )


def event_of(result: ProposalResult) -> EventKind:
    """Return the kind of a result's event."""
    return PROPOSAL_ACCEPTED if result.status in DONE else PROPOSAL_REFUSED


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
        actions=tuple(_taken(action, outcome) for action, outcome in zip_longest(proposal.actions, result.outcomes)),
        rests_on=proposal.rests_on or inputs,
    )


def _identity(result: ProposalResult) -> tuple[str, ...]:
    return (*result.verdict.candidate.name, result.status.name, result.cause)


def _taken(action: Action, outcome: Outcome | None) -> ActionTaken:
    return ActionTaken(
        actuator=action.actuator,
        command=action.command.name,
        value=action.value,
        timeout_ms=timeout_ms(action),
        accepted=outcome.accepted if outcome else None,
        message=outcome.message if outcome else "",
    )
