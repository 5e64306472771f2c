"""What the agent says of its mode: which event each transition is, and its body."""

from types import MappingProxyType

from qiki.agent.sim_instant import SimInstant
from qiki.contracts.agent import TransitionRecord
from qiki.contracts.enums import FSMState
from qiki.contracts.events import (
    AGENT_BOOTED,
    AGENT_HALTED,
    SAFE_MODE_ENTERED,
    SAFE_MODE_LEFT,
    EventKind,
    SystemMode,
)
from qiki.contracts.events.agent import Evidence

NORMAL = "NORMAL"
SAFE_MODE = "SAFE_MODE"
MODES = MappingProxyType(
    {
        FSMState.BOOTING: "BOOTING",
        FSMState.IDLE: NORMAL,
        FSMState.ACTIVE: NORMAL,
        FSMState.ERROR_STATE: SAFE_MODE,
        FSMState.SHUTDOWN: "SHUTDOWN",
    }
)
ENTERED = MappingProxyType({FSMState.ERROR_STATE: SAFE_MODE_ENTERED, FSMState.SHUTDOWN: AGENT_HALTED})
LEFT = MappingProxyType({FSMState.BOOTING: AGENT_BOOTED, FSMState.ERROR_STATE: SAFE_MODE_LEFT})


def event_of(record: TransitionRecord) -> EventKind | None:
    """The event that a transition is; None for one within a mode."""
    if MODES[record.from_state] == MODES[record.to_state]:
        return None
    return ENTERED.get(record.to_state) or LEFT.get(record.from_state)


def body(
    previous: FSMState,
    state: FSMState,
    trigger: str,
    stamp: SimInstant,
    reasons: tuple[str, ...] = (),
    rests_on: tuple[Evidence, ...] = (),
) -> SystemMode:
    """What such an event says."""
    return SystemMode(
        ts_epoch=stamp.t_s,
        run_id=stamp.run_id,
        mode=MODES[state],
        previous=MODES[previous],
        state=state,
        trigger=trigger,
        reasons=reasons,
        rests_on=rests_on,
    )
