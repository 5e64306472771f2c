"""The agent as its states show it; and from the guard to its SAFE_MODE and back, with a stranger of our own.

The stranger is seen by another radar than the simulator's, so that the run is not disturbed: the bridge tracks each
radar's frames by themselves, and its guard looks at all of them.
"""

from collections.abc import Callable, Sequence

from generated.q_sim_api_pb2 import ListActuatorsRequest
from qiki.contracts import events, topics
from qiki.contracts.agent import AgentState
from qiki.contracts.enums import DeviceStatus, FSMState
from qiki.contracts.events import BIOS_OK, CODE, BiosStatus, EventKind, SystemMode
from qiki.contracts.headers import RUN
from qiki.contracts.radar import GuardAlert
from qiki_harness.smoke.check import ANSWER_S, CheckFailedError, until
from qiki_harness.smoke.stranger import close_by
from qiki_harness.twin import Event, Record, Twin

SUBJECTS = (events.GUARD_ALERT.subject, events.GUARD_CLEARED.subject, events.SAFE_MODE_ENTERED.subject)
NORMAL = (FSMState.IDLE, FSMState.ACTIVE)
THRUST = ("motor_", "rcs_")
_PATIENCE_S = 10.0
_EVENTS_BACK = 200
_STEP_S = 15.0
_CALM_S = 60.0
"""The run's own alerts may keep the agent in SAFE_MODE: for so long they are waited for."""


def agent(twin: Twin) -> str:
    """Check that two of its states have ticks between them, and that its self test passed."""
    moment = twin.now()

    def complaint() -> str:
        states = twin.agent_states(after=moment)
        came = f"tick {states[-1].data.tick} again and again" if states else "none"
        return f"expected two states of the agent within {_PATIENCE_S:g} s, ticks between: {came}"

    first, last = until(twin, lambda: later(twin.agent_states(after=moment)), _PATIENCE_S, complaint)
    if last.bios_ok is not True:
        raise CheckFailedError(f"the self test {_bios_fault(twin, last)}")
    mode = last.fsm.current_state
    shown = f"SAFE_MODE ({'; '.join(last.causes)})" if mode is FSMState.ERROR_STATE else mode.name
    return f"ticks {first.tick} to {last.tick}, {shown}, self test passed, {last.tracks} tracks in view"


def later(records: Sequence[Record[AgentState]]) -> tuple[AgentState, AgentState] | None:
    """Return the first and the newest state of the newest life, once the agent has ticked between them."""
    states = [record.data for record in records]
    life = [state for state in states if state.fsm.fsm_instance_id == states[-1].fsm.fsm_instance_id]
    return (life[0], life[-1]) if life and life[-1].tick > life[0].tick else None


def _bios_fault(twin: Twin, state: AgentState) -> str:
    """Return what the newest self test found."""
    if state.bios_ok is None:
        return "has given no result yet"
    reports = [one for one in twin.newest(topics.EVENTS, _EVENTS_BACK) if one.subject == BIOS_OK.subject]
    if not reports:
        return "failed"
    devices = [one for one in reports[-1].parse(BiosStatus).post_results if one.status is not DeviceStatus.OK]
    faults = (f"{one.device_name} {one.status.name} {one.error_message}".strip() for one in devices)
    return f"failed: {'; '.join(faults) or 'it names no device'}"


def guard(twin: Twin) -> str:
    """Check for an alert, SAFE_MODE because of it, the alert's end, and normal mode again, in agent and vehicle."""
    calm(twin)
    before, moment = _thrusters(twin), twin.now()

    def following(
        what: str, kind: EventKind, run: str | None = None, behind: int = 0, deadline_s: float = _STEP_S
    ) -> Record[Event]:
        """Wait for an event of a kind, of a radar's run where one is given, stored behind a sequence."""

        def came() -> list[Record[Event]]:
            return [one for one in twin.events(after=moment) if one.subject in SUBJECTS and one.sequence > behind]

        def look() -> Record[Event] | None:
            found = (one for one in came() if (one.subject, one.headers.get(CODE)) == (kind.subject, str(kind.code)))
            return next((one for one in found if run in {None, one.headers.get(RUN)}), None)

        def complaint() -> str:
            seen = ", ".join(f"{one.headers.get(CODE)} on {one.subject}" for one in came())
            return f"expected {what} within {deadline_s:g} s, came: {seen or 'nothing'}"

        return until(twin, look, deadline_s, complaint)

    with close_by(twin) as run:
        alert = following("a guard alert", events.GUARD_ALERT, run)
        entered = following("SAFE_MODE entered (900)", events.SAFE_MODE_ENTERED)
        if not names(entered, alert):  # another alert may have been a moment earlier
            _await_named(twin, alert)
        _await_thrusters(twin, "the vehicle in safe mode, without thrust", lambda ready: not ready)
    cleared = following("the alert cleared (801)", events.GUARD_CLEARED, run, alert.sequence)
    clearing = following("recovery begun (910)", events.SAFE_MODE_CLEARING, None, cleared.sequence, _CALM_S)
    left = following("SAFE_MODE left (911)", events.SAFE_MODE_LEFT, None, clearing.sequence, _CALM_S)
    _await_thrusters(twin, f"{len(before)} thrusters and motors ready again", before.issubset)
    close = alert.parse(GuardAlert)
    entered_ms, left_ms = 1e3 * (entered.came_s - alert.came_s), 1e3 * (left.came_s - cleared.came_s)
    return (
        f"{close.rule_id} at {close.range_m:.0f} m, SAFE_MODE {entered_ms:.0f} ms later; "
        f"cleared, normal again {left_ms:.0f} ms later"
    )


def calm(twin: Twin, deadline_s: float = _CALM_S) -> None:
    """Wait until the agent is in its normal mode; where it stays otherwise, the failure says why."""
    moment = twin.now()

    def newest() -> list[AgentState]:
        return [one.data for one in twin.agent_states(after=moment)[-1:]]

    def complaint() -> str:
        why = [f"{state.fsm.current_state.name}: {'; '.join(state.causes)}" for state in newest()] or ["silent"]
        return f"the agent was not in its normal mode for {deadline_s:g} s: {why[0]}"

    until(twin, lambda: any(state.fsm.current_state in NORMAL for state in newest()), deadline_s, complaint)


def names(entered: Record[Event], alert: Record[Event]) -> bool:
    """Return whether SAFE_MODE was entered because of this very alert."""
    place = (alert.subject, alert.sequence)
    return any((one.subject, one.sequence) == place for one in entered.parse(SystemMode).rests_on)


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
    def complaint() -> str:
        return f"expected {what} within {_STEP_S:g} s; ready: {', '.join(sorted(_thrusters(twin))) or 'none'}"

    until(twin, lambda: condition(_thrusters(twin)), _STEP_S, complaint)
