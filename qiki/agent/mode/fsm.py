"""The agent's state machine: a table, the machine that obeys it, and the counting of good checks."""

from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from uuid import UUID

from qiki.agent.sim_instant import SimInstant, named
from qiki.contracts.agent import FsmSnapshot, TransitionRecord
from qiki.contracts.enums import FSMState, FSMTransitionStatus

HISTORY = 100
GOOD_CHECKS = 3
"""In a row, before ERROR_STATE is left."""


class Signal(StrEnum):
    """What moves the machine; a CAUSE goes by a trigger of its own in the records."""

    BOOT_COMPLETE = "BOOT_COMPLETE"
    CAUSE = "CAUSE"
    ERROR_CLEARED = "ERROR_CLEARED"
    PROPOSALS_RECEIVED = "PROPOSALS_RECEIVED"
    NO_PROPOSALS = "NO_PROPOSALS"
    SHUTDOWN = "SHUTDOWN"


TABLE = MappingProxyType(
    {
        (FSMState.BOOTING, Signal.BOOT_COMPLETE): FSMState.IDLE,
        (FSMState.IDLE, Signal.PROPOSALS_RECEIVED): FSMState.ACTIVE,
        (FSMState.ACTIVE, Signal.NO_PROPOSALS): FSMState.IDLE,
        (FSMState.BOOTING, Signal.CAUSE): FSMState.ERROR_STATE,
        (FSMState.IDLE, Signal.CAUSE): FSMState.ERROR_STATE,
        (FSMState.ACTIVE, Signal.CAUSE): FSMState.ERROR_STATE,
        (FSMState.ERROR_STATE, Signal.ERROR_CLEARED): FSMState.IDLE,
        (FSMState.BOOTING, Signal.SHUTDOWN): FSMState.SHUTDOWN,
        (FSMState.IDLE, Signal.SHUTDOWN): FSMState.SHUTDOWN,
        (FSMState.ACTIVE, Signal.SHUTDOWN): FSMState.SHUTDOWN,
        (FSMState.ERROR_STATE, Signal.SHUTDOWN): FSMState.SHUTDOWN,
    }
)


@dataclass(slots=True)
class Clearance:
    """Counts the checks in a row that found no cause."""

    good: int = 0

    def check(self, well: bool) -> int:
        """Take a check's result; how many good ones there are in a row."""
        self.good = min(self.good + 1, GOOD_CHECKS) if well else 0
        return self.good

    @property
    def given(self) -> bool:
        """Whether there were enough."""
        return self.good >= GOOD_CHECKS


class StateMachine:
    """Obeys the table, and remembers what it did."""

    def __init__(self, instance_id: UUID) -> None:
        self.instance_id = instance_id
        self.state = FSMState.BOOTING
        self.attempts = 0
        self._history: deque[TransitionRecord] = deque(maxlen=HISTORY)

    def can(self, signal: Signal) -> bool:
        """Whether the table has this signal here."""
        return (self.state, signal) in TABLE

    def fire(self, signal: Signal, stamp: SimInstant, trigger: str = "") -> TransitionRecord:
        """Give a signal; one that the table does not have here fails, and changes nothing.

        Args:
            trigger: what the records call it; the signal's own name when not given
        """
        target = TABLE.get((self.state, signal))
        record = TransitionRecord(
            timestamp=stamp.moment,
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

    def snapshot(self, stamp: SimInstant, context: dict[str, str], metadata: dict[str, str]) -> FsmSnapshot:
        """Where it stands and how it came there; the same again for the same attempts and tick."""
        return FsmSnapshot(
            snapshot_id=named(self.instance_id, stamp.run_id, stamp.tick, self.attempts),
            timestamp=stamp.moment,
            current_state=self.state,
            history=tuple(self._history),
            context_data=context,
            fsm_instance_id=self.instance_id,
            state_metadata=metadata,
            attempt_count=self.attempts,
        )
