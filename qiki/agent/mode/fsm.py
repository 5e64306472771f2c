"""The agent's state machine and its table of transitions."""

from collections import deque
from enum import StrEnum
from types import MappingProxyType
from uuid import UUID

from qiki.agent.sim_instant import SimInstant, named
from qiki.contracts.agent import FsmSnapshot, TransitionRecord
from qiki.contracts.enums import FSMState, FSMTransitionStatus

HISTORY = 100
GOOD_CHECKS = 3
"""Checks in a row without a cause before ERROR_STATE is left."""


class Signal(StrEnum):
    """Inputs of the machine; records show a CAUSE under its own trigger."""

    BOOT_COMPLETE = "BOOT_COMPLETE"
    CAUSE = "CAUSE"
    ERROR_CLEARED = "ERROR_CLEARED"
    PROPOSALS_RECEIVED = "PROPOSALS_RECEIVED"
    NO_PROPOSALS = "NO_PROPOSALS"
    SHUTDOWN = "SHUTDOWN"


RUNNING = (FSMState.BOOTING, FSMState.IDLE, FSMState.ACTIVE)
TABLE = MappingProxyType(
    {
        (FSMState.BOOTING, Signal.BOOT_COMPLETE): FSMState.IDLE,
        (FSMState.IDLE, Signal.PROPOSALS_RECEIVED): FSMState.ACTIVE,
        (FSMState.ACTIVE, Signal.NO_PROPOSALS): FSMState.IDLE,
        (FSMState.ERROR_STATE, Signal.ERROR_CLEARED): FSMState.IDLE,
    }
    | {(state, Signal.CAUSE): FSMState.ERROR_STATE for state in RUNNING}
    | {(state, Signal.SHUTDOWN): FSMState.SHUTDOWN for state in (*RUNNING, FSMState.ERROR_STATE)}
)


class StateMachine:
    """The state, and the history of transitions."""

    def __init__(self, instance_id: UUID) -> None:
        self.instance_id = instance_id
        self.state = FSMState.BOOTING
        self.attempts = 0
        self._history: deque[TransitionRecord] = deque(maxlen=HISTORY)

    def can(self, signal: Signal) -> bool:
        """Return whether the table has a transition for a signal in this state."""
        return (self.state, signal) in TABLE

    def fire(self, signal: Signal, instant: SimInstant, trigger: str = "") -> TransitionRecord:
        """Make the transition of a signal; without one in the table, the record says so and nothing changes.

        Args:
            trigger: the signal's name in the record; its own by default
        """
        target = TABLE.get((self.state, signal))
        record = TransitionRecord(
            timestamp=instant.moment,
            from_state=self.state,
            to_state=self.state if target is None else target,
            trigger_event=trigger or signal,
            status=FSMTransitionStatus.FAILED if target is None else FSMTransitionStatus.SUCCESS,
            error_message=f"{self.state.name} has no transition for {signal}" if target is None else "",
        )
        self.attempts += 1
        self.state = record.to_state
        self._history.append(record)
        return record

    def snapshot(self, instant: SimInstant, context: dict[str, str], metadata: dict[str, str]) -> FsmSnapshot:
        """Return state and history; the same attempts in the same tick give the same snapshot."""
        return FsmSnapshot(
            snapshot_id=named(self.instance_id, instant.run_id, instant.tick, self.attempts),
            timestamp=instant.moment,
            current_state=self.state,
            history=tuple(self._history),
            context_data=context,
            fsm_instance_id=self.instance_id,
            state_metadata=metadata,
            attempt_count=self.attempts,
        )
