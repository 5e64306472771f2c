"""From the guard to SAFE_MODE and back, with a stranger of our own.

The stranger is seen by another radar than the simulator's, so that the run is not disturbed: the bridge tracks each
radar's frames by themselves, and its guard looks at all of them.
"""

import asyncio
import time
from collections.abc import Callable

from generated.q_sim_api_pb2 import ListActuatorsRequest
from qiki.contracts import topics
from qiki.contracts.agent import AgentState
from qiki.contracts.enums import FSMState
from qiki.contracts.events import (
    CODE,
    GUARD_ALERT,
    GUARD_CLEARED,
    SAFE_MODE_CLEARING,
    SAFE_MODE_ENTERED,
    SAFE_MODE_LEFT,
    EventKind,
    SystemMode,
)
from qiki.contracts.headers import RUN
from qiki.contracts.models import GuardAlert
from qiki_harness.smoke.check import CheckFailedError
from qiki_harness.smoke.inbox import Inbox, Message
from qiki_harness.smoke.payloads import read
from qiki_harness.smoke.session import ANSWER_S, Session
from qiki_harness.smoke.stranger import close_by

SUBJECTS = (topics.GUARD.subject, GUARD_CLEARED.subject, SAFE_MODE_ENTERED.subject)
NORMAL = (FSMState.IDLE, FSMState.ACTIVE)
THRUST = ("motor_", "rcs_")
_STEP_S = 15.0
_CALM_S = 60.0
"""The run's own alerts may keep the agent in SAFE_MODE: for so long they are waited for."""
_POLL_S = 0.05


async def guard(session: Session) -> str:
    """Alert, SAFE_MODE because of it, the alert's end, normal mode again; and the vehicle follows."""
    async with (
        session.following(topics.QIKI_EVENTS_V1, *SUBJECTS) as events,
        session.listening(topics.AGENT_STATE.subject) as states,
    ):
        await calm(states)
        begin = events.messages[-1].sequence if events.messages else 0
        before = await _thrusters(session)
        async with close_by(session) as run:
            alert = await _next(events, "a guard alert", _is_of(GUARD_ALERT, run), begin)
            entered = await _next(events, "SAFE_MODE entered (900)", _is_of(SAFE_MODE_ENTERED), begin)
            if not names(entered, alert):  # another alert may have been a moment earlier
                await _named(states, alert)
            await _until_thrusters(session, "the vehicle in safe mode, without thrust", lambda ready: not ready)
        cleared = await _next(events, "the alert cleared (801)", _is_of(GUARD_CLEARED, run), alert.sequence)
        clearing = await _next(events, "recovery begun (910)", _is_of(SAFE_MODE_CLEARING), cleared.sequence, _CALM_S)
        left = await _next(events, "SAFE_MODE left (911)", _is_of(SAFE_MODE_LEFT), clearing.sequence, _CALM_S)
        await _until_thrusters(session, f"{len(before)} thrusters and motors ready again", before.issubset)
    close = read(GuardAlert, alert)
    return (
        f"{close.rule_id} at {close.range_m:.0f} m, SAFE_MODE {_ms(alert, entered)} later; "
        f"cleared, normal again {_ms(cleared, left)} later"
    )


async def calm(states: Inbox, deadline_s: float = _CALM_S) -> None:
    """Wait until the agent is in its normal mode.

    Raises:
        CheckFailedError: it stays otherwise; the text says why.
    """

    def normal(messages: list[Message]) -> bool | None:
        state = read(AgentState, messages[-1]).fsm.current_state if messages else None
        return True if state in NORMAL else None

    if not await states.until(normal, deadline_s):
        state = read(AgentState, states.messages[-1]) if states.messages else None
        why = f"{state.fsm.current_state.name}: {'; '.join(state.causes)}" if state else "silent"
        raise CheckFailedError(f"the agent was not in its normal mode for {deadline_s:g} s: {why}")


async def _named(states: Inbox, alert: Message) -> None:
    """Wait until the agent names the alert's track among its reasons."""
    track = str(read(GuardAlert, alert).track_id)
    if not await states.first(lambda one: track in " ".join(read(AgentState, one).causes), _STEP_S):
        raise CheckFailedError(f"the agent does not name the alert on track {track} among its reasons for SAFE_MODE")


async def _next(
    events: Inbox, what: str, condition: Callable[[Message], bool], after: int, deadline_s: float = _STEP_S
) -> Message:
    """The first such event that is stored behind another.

    Raises:
        CheckFailedError: none came in time.
    """
    message = await events.first(lambda one: one.sequence > after and condition(one), deadline_s)
    if message is None:
        seen = ", ".join(f"{one.headers.get(CODE)} on {one.subject}" for one in events.messages if one.sequence > after)
        raise CheckFailedError(f"expected {what} within {deadline_s:g} s, came: {seen or 'nothing'}")
    return message


async def _thrusters(session: Session) -> set[str]:
    """What would take a command now."""
    listed = (await session.sim.ListActuators(ListActuatorsRequest(), timeout=ANSWER_S)).actuators
    return {one.role for one in listed if one.ready and one.role.startswith(THRUST)}


async def _until_thrusters(session: Session, what: str, condition: Callable[[set[str]], bool]) -> None:
    end_s = time.monotonic() + _STEP_S
    while not condition(ready := await _thrusters(session)):
        if time.monotonic() > end_s:
            said = ", ".join(sorted(ready)) or "none"
            raise CheckFailedError(f"expected {what} within {_STEP_S:g} s; ready: {said}")
        await asyncio.sleep(_POLL_S)


def _is_of(kind: EventKind, run: str | None = None) -> Callable[[Message], bool]:
    """An event of a kind, and of a radar's run where that is given."""

    def holds(message: Message) -> bool:
        is_kind = (message.subject, message.headers.get(CODE)) == (kind.subject, str(kind.code))
        return is_kind and (run is None or message.headers.get(RUN) == run)

    return holds


def names(entered: Message, alert: Message) -> bool:
    """Whether SAFE_MODE was entered because of this very alert."""
    place = (alert.subject, alert.sequence)
    return any((one.subject, one.sequence) == place for one in read(SystemMode, entered).rests_on)


def _ms(before: Message, after: Message) -> str:
    return f"{1e3 * (after.came_s - before.came_s):.0f} ms"
