"""The agent's state machine: its table of transitions, moved by the results of checks."""

from collections import deque
from collections.abc import Callable
from enum import StrEnum
from types import MappingProxyType
from uuid import UUID

from qiki.agent.mode.faults import Cause
from qiki.agent.sim_instant import SimInstant, named
from qiki.contracts import events
from qiki.contracts.agent import FsmSnapshot, TransitionRecord
from qiki.contracts.enums import FSMState, FSMTransitionStatus
from qiki.contracts.events import EventKind, Evidence, SystemMode
from qiki.state import State, Stateful

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
MODES = MappingProxyType(
    {FSMState.BOOTING: "BOOTING", FSMState.ERROR_STATE: "SAFE_MODE", FSMState.SHUTDOWN: "SHUTDOWN"}
    | dict.fromkeys((FSMState.IDLE, FSMState.ACTIVE), "NORMAL")
)
ENTERED = MappingProxyType({FSMState.ERROR_STATE: events.SAFE_MODE_ENTERED, FSMState.SHUTDOWN: events.AGENT_HALTED})
LEFT = MappingProxyType({FSMState.BOOTING: events.AGENT_BOOTED, FSMState.ERROR_STATE: events.SAFE_MODE_LEFT})

Evidences = tuple[Evidence, ...]


class StateMachine(Stateful):
    """Moves from state to state by the results of checks, and emits every change of mode as `Events.emit`.

    Attributes:
        good_checks: checks in a row without a cause, in SAFE_MODE; it ends after `GOOD_CHECKS`
        causes: the last ones of the SAFE_MODE that it is in; empty in other modes
    """

    STATE = State(
        state=FSMState,
        good_checks=int,
        causes=tuple[Cause, ...],
        _booted=bool,
        _attempts=int,
        _history=deque[TransitionRecord],
    )

    def __init__(self, instance_id: UUID, emit: Callable[..., None]) -> None:
        self.state = FSMState.BOOTING
        self.good_checks = 0
        self.causes: tuple[Cause, ...] = ()
        self._instance_id, self._emit_event = instance_id, emit
        self._booted = False
        self._attempts = 0
        self._history: deque[TransitionRecord] = deque(maxlen=HISTORY)

    @property
    def rests_on(self) -> Evidences:
        """The evidence of the causes."""
        return tuple(evidence for cause in self.causes for evidence in cause.rests_on)

    def fire(self, signal: Signal, instant: SimInstant, trigger: str = "") -> TransitionRecord:
        """Make the transition of a signal, which the record calls `trigger`; one that is not in the table fails."""
        target = TABLE.get((self.state, signal))
        record = TransitionRecord(
            timestamp=instant.moment,
            from_state=self.state,
            to_state=self.state if target is None else target,
            trigger_event=trigger or signal,
            status=FSMTransitionStatus.FAILED if target is None else FSMTransitionStatus.SUCCESS,
            error_message=f"{self.state.name} has no transition for {signal}" if target is None else "",
        )
        self._attempts += 1
        self.state = record.to_state
        self._history.append(record)
        return record

    def boot(self, instant: SimInstant, rests_on: Evidences) -> None:
        """Emit, the first time, that the boot begins."""
        if not self._booted:
            self._booted = True
            self._emit(events.AGENT_BOOTING, FSMState.SHUTDOWN, "BOOT", instant, rests_on)

    def check(self, causes: tuple[Cause, ...], ready: bool, instant: SimInstant, rests_on: Evidences = ()) -> None:
        """Enter SAFE_MODE, come closer to its end, or finish the boot.

        Args:
            ready: whether the boot has all that it needs
            rests_on: the inputs, as evidence for what has no cause
        """
        if self.state is FSMState.ERROR_STATE:
            self._recover(causes, instant, rests_on)
        elif causes and (self.state, Signal.CAUSE) in TABLE:
            self.good_checks, self.causes = 0, causes
            self._fire(Signal.CAUSE, instant, self.rests_on or rests_on, causes[0].trigger)
        elif ready:
            self._fire(Signal.BOOT_COMPLETE, instant, rests_on)

    def take_proposals(self, received: bool, instant: SimInstant) -> None:
        """Become ACTIVE when engines propose something, IDLE when they do not."""
        self._fire(Signal.PROPOSALS_RECEIVED if received else Signal.NO_PROPOSALS, instant)

    def halt(self, instant: SimInstant) -> None:
        """Shut the machine down."""
        self._fire(Signal.SHUTDOWN, instant)

    def snapshot(self, instant: SimInstant) -> FsmSnapshot:
        """Return state, history and mode; the same attempts in the same tick give the same snapshot."""
        reason = {"reason": "; ".join(cause.reason for cause in self.causes)} if self.causes else {}
        return FsmSnapshot(
            snapshot_id=named(self._instance_id, instant.run_id, instant.tick, self._attempts),
            timestamp=instant.moment,
            current_state=self.state,
            history=tuple(self._history),
            context_data={"run_id": instant.run_id, "tick": str(instant.tick), "good_checks": str(self.good_checks)},
            fsm_instance_id=self._instance_id,
            state_metadata={"mode": MODES[self.state]} | reason,
            attempt_count=self._attempts,
        )

    def _recover(self, causes: tuple[Cause, ...], instant: SimInstant, rests_on: Evidences) -> None:
        if causes:
            self.good_checks, self.causes = 0, causes
            return
        self.good_checks = min(self.good_checks + 1, GOOD_CHECKS)
        if self.good_checks == 1:
            self._emit(events.SAFE_MODE_CLEARING, self.state, "CAUSES_GONE", instant, rests_on)
        if self.good_checks == GOOD_CHECKS:
            self._fire(Signal.ERROR_CLEARED, instant, rests_on)
            self.causes = ()

    def _fire(self, signal: Signal, instant: SimInstant, rests_on: Evidences = (), trigger: str = "") -> None:
        """Fire a signal where the table has it; emit the transition unless it stays in its mode."""
        if (self.state, signal) not in TABLE:
            return
        record = self.fire(signal, instant, trigger)
        kind = ENTERED.get(record.to_state) or LEFT.get(record.from_state)
        if kind and MODES[record.from_state] != MODES[record.to_state]:
            self._emit(kind, record.from_state, record.trigger_event, instant, rests_on)

    def _emit(self, kind: EventKind, previous: FSMState, trigger: str, instant: SimInstant, rests: Evidences) -> None:
        body = SystemMode(
            ts_epoch=instant.t_s,
            run_id=instant.run_id,
            mode=MODES[self.state],
            previous=MODES[previous],
            state=self.state,
            trigger=trigger,
            reasons=tuple(cause.reason for cause in self.causes),
            rests_on=rests,
        )
        self._emit_event(kind, body, str(instant.id("mode", kind.code)), instant.moment)
