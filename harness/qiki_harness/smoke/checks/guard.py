"""From the guard to SAFE_MODE and back, with a stranger of our own.

The stranger is seen by another radar than the simulator's, so that the run is not disturbed: the bridge tracks each
radar's frames by themselves, and its guard looks at all of them.
"""

from collections.abc import Callable
from functools import partial

from generated.q_sim_api_pb2 import ListActuatorsRequest
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
from qiki_harness.smoke.check import ANSWER_S, until
from qiki_harness.smoke.stranger import close_by
from qiki_harness.twin import Event, Record, Twin
from qiki_harness.twin.watcher import Moment

SUBJECTS = (GUARD_ALERT.subject, GUARD_CLEARED.subject, SAFE_MODE_ENTERED.subject)
NORMAL = (FSMState.IDLE, FSMState.ACTIVE)
THRUST = ("motor_", "rcs_")
_STEP_S = 15.0
_CALM_S = 60.0
"""The run's own alerts may keep the agent in SAFE_MODE: for so long they are waited for."""


def guard(twin: Twin) -> str:
    """Check for an alert, SAFE_MODE because of it, the alert's end, and normal mode again, in agent and vehicle."""
    calm(twin)
    before = _thrusters(twin)
    following = partial(_next, twin, twin.now())
    with close_by(twin) as run:
        alert = following("a guard alert", GUARD_ALERT, run=run)
        entered = following("SAFE_MODE entered (900)", SAFE_MODE_ENTERED)
        if not names(entered, alert):  # another alert may have been a moment earlier
            _await_named(twin, alert)
        _await_thrusters(twin, "the vehicle in safe mode, without thrust", lambda ready: not ready)
    cleared = following("the alert cleared (801)", GUARD_CLEARED, run=run, behind=alert)
    clearing = following("recovery begun (910)", SAFE_MODE_CLEARING, behind=cleared, deadline_s=_CALM_S)
    left = following("SAFE_MODE left (911)", SAFE_MODE_LEFT, behind=clearing, deadline_s=_CALM_S)
    _await_thrusters(twin, f"{len(before)} thrusters and motors ready again", before.issubset)
    close = alert.parse(GuardAlert)
    return (
        f"{close.rule_id} at {close.range_m:.0f} m, SAFE_MODE {_ms(alert, entered)} later; "
        f"cleared, normal again {_ms(cleared, left)} later"
    )


def calm(twin: Twin, deadline_s: float = _CALM_S) -> None:
    """Wait until the agent is in its normal mode.

    Raises:
        CheckFailedError: it stays otherwise; the text says why.
    """
    moment = twin.now()

    def newest() -> AgentState | None:
        states = twin.agent_states(after=moment)
        return states[-1].data if states else None

    def normal() -> bool:
        state = newest()
        return state is not None and state.fsm.current_state in NORMAL

    def complaint() -> str:
        state = newest()
        why = f"{state.fsm.current_state.name}: {'; '.join(state.causes)}" if state else "silent"
        return f"the agent was not in its normal mode for {deadline_s:g} s: {why}"

    until(twin, normal, deadline_s, complaint)


def _next(
    twin: Twin,
    moment: Moment,
    what: str,
    kind: EventKind,
    *,
    run: str | None = None,
    behind: Record[Event] | None = None,
    deadline_s: float = _STEP_S,
) -> Record[Event]:
    """Wait for the first event of a kind, and of a radar's run where that is given, stored behind another.

    Raises:
        CheckFailedError: none came in time.
    """

    def came() -> list[Record[Event]]:
        events = [one for one in twin.events(after=moment) if one.subject in SUBJECTS]
        return [one for one in events if behind is None or one.sequence > behind.sequence]

    def look() -> Record[Event] | None:
        wanted = kind.subject, str(kind.code)
        found = (one for one in came() if (one.subject, one.headers.get(CODE)) == wanted)
        return next((one for one in found if run in {None, one.headers.get(RUN)}), None)

    def complaint() -> str:
        seen = ", ".join(f"{one.headers.get(CODE)} on {one.subject}" for one in came())
        return f"expected {what} within {deadline_s:g} s, came: {seen or 'nothing'}"

    return until(twin, look, deadline_s, complaint)


def _await_named(twin: Twin, alert: Record[Event]) -> None:
    """Wait until the agent names the alert's track among its reasons."""
    track = str(alert.parse(GuardAlert).track_id)
    complaint = f"the agent does not name the alert on track {track} among its reasons for SAFE_MODE"
    until(twin, lambda: any(track in " ".join(one.data.causes) for one in twin.agent_states()), _STEP_S, complaint)


def _thrusters(twin: Twin) -> set[str]:
    """Return what would take a command now."""
    listed = twin.sim.ListActuators(ListActuatorsRequest(), timeout=ANSWER_S).actuators
    return {one.role for one in listed if one.ready and one.role.startswith(THRUST)}


def _await_thrusters(twin: Twin, what: str, condition: Callable[[set[str]], bool]) -> None:
    until(
        twin,
        lambda: condition(_thrusters(twin)),
        _STEP_S,
        lambda: f"expected {what} within {_STEP_S:g} s; ready: {', '.join(sorted(_thrusters(twin))) or 'none'}",
    )


def names(entered: Record[Event], alert: Record[Event]) -> bool:
    """Return whether SAFE_MODE was entered because of this very alert."""
    place = (alert.subject, alert.sequence)
    return any((one.subject, one.sequence) == place for one in entered.parse(SystemMode).rests_on)


def _ms(before: Record[Event], after: Record[Event]) -> str:
    return f"{1e3 * (after.came_s - before.came_s):.0f} ms"
