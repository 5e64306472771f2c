"""The agent, as it speaks of itself."""

import nats.js.errors

from qiki.contracts import topics
from qiki.contracts.agent import AgentState
from qiki.contracts.enums import DeviceStatus, FSMState
from qiki.contracts.events import BIOS_OK, BiosStatus
from qiki_harness.smoke.check import CheckFailedError
from qiki_harness.smoke.inbox import Message
from qiki_harness.smoke.payloads import read
from qiki_harness.smoke.session import Session

_PATIENCE_S = 10.0


async def agent(session: Session) -> str:
    """Two of its states with ticks between them, and a self test that passed."""
    async with session.listening(topics.AGENT_STATE.subject) as inbox:
        pair = await inbox.until(later, _PATIENCE_S)
        if pair is None:
            came = f"tick {read(AgentState, inbox.messages[-1]).tick} again and again" if inbox.messages else "none"
            raise CheckFailedError(f"expected two states of the agent within {_PATIENCE_S:g} s, ticks between: {came}")
    first, last = pair
    if last.bios_ok is not True:
        raise CheckFailedError(f"the self test {await _complaint(session, last)}")
    return f"ticks {first.tick} to {last.tick}, {_mode(last)}, self test passed, {last.tracks} tracks in view"


def later(messages: list[Message]) -> tuple[AgentState, AgentState] | None:
    """The first and the newest state of the newest life, once the agent has ticked between them."""
    states = [read(AgentState, message) for message in messages]
    if not states:
        return None
    life = [state for state in states if state.fsm.fsm_instance_id == states[-1].fsm.fsm_instance_id]
    return (life[0], life[-1]) if life[-1].tick > life[0].tick else None


def _mode(state: AgentState) -> str:
    if state.fsm.current_state is FSMState.ERROR_STATE:
        return f"SAFE_MODE ({'; '.join(state.causes)})"
    return state.fsm.current_state.name


async def _complaint(session: Session, state: AgentState) -> str:
    """What the newest self test found."""
    if state.bios_ok is None:
        return "has given no result yet"
    try:
        message = await session.jetstream.get_last_msg(topics.QIKI_EVENTS_V1, BIOS_OK.subject)
    except nats.js.errors.NotFoundError:
        return "failed"
    report = read(BiosStatus, Message(BIOS_OK.subject, message.data or b"", sequence=message.seq or 0))
    ill = [device for device in report.post_results if device.status is not DeviceStatus.OK]
    said = (f"{device.device_name} {device.status.name} {device.error_message}".strip() for device in ill)
    return f"failed: {'; '.join(said) or 'it says nothing of which device'}"
