"""The agent, as its states show it."""

from collections.abc import Sequence

from qiki.contracts import topics
from qiki.contracts.agent import AgentState
from qiki.contracts.enums import DeviceStatus, FSMState
from qiki.contracts.events import BIOS_OK, BiosStatus
from qiki_harness.smoke.check import CheckFailedError, until
from qiki_harness.twin import Record, Twin

_PATIENCE_S = 10.0
_EVENTS_BACK = 200


def agent(twin: Twin) -> str:
    """Check that two of its states have ticks between them, and that its self test passed."""
    moment = twin.now()

    def complaint() -> str:
        states = twin.agent_states(after=moment)
        came = f"tick {states[-1].data.tick} again and again" if states else "none"
        return f"expected two states of the agent within {_PATIENCE_S:g} s, ticks between: {came}"

    first, last = until(twin, lambda: later(twin.agent_states(after=moment)), _PATIENCE_S, complaint)
    if last.bios_ok is not True:
        raise CheckFailedError(f"the self test {_complaint(twin, last)}")
    return f"ticks {first.tick} to {last.tick}, {_mode(last)}, self test passed, {last.tracks} tracks in view"


def later(records: Sequence[Record[AgentState]]) -> tuple[AgentState, AgentState] | None:
    """Return the first and the newest state of the newest life, once the agent has ticked between them."""
    states = [record.data for record in records]
    if not states:
        return None
    life = [state for state in states if state.fsm.fsm_instance_id == states[-1].fsm.fsm_instance_id]
    return (life[0], life[-1]) if life[-1].tick > life[0].tick else None


def _mode(state: AgentState) -> str:
    if state.fsm.current_state is FSMState.ERROR_STATE:
        return f"SAFE_MODE ({'; '.join(state.causes)})"
    return state.fsm.current_state.name


def _complaint(twin: Twin, state: AgentState) -> str:
    """Return what the newest self test found."""
    if state.bios_ok is None:
        return "has given no result yet"
    reports = [one for one in twin.newest(topics.EVENTS, _EVENTS_BACK) if one.subject == BIOS_OK.subject]
    if not reports:
        return "failed"
    report = reports[-1].parse(BiosStatus)
    ill = [device for device in report.post_results if device.status is not DeviceStatus.OK]
    faults = (f"{device.device_name} {device.status.name} {device.error_message}".strip() for device in ill)
    return f"failed: {'; '.join(faults) or 'it names no device'}"
