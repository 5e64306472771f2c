"""The mode supervisor: moves the state machine by the results of checks, and emits every change of mode."""

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType

from qiki.agent.mode.faults import Cause
from qiki.agent.mode.fsm import GOOD_CHECKS, Signal, StateMachine
from qiki.agent.sim_instant import SimInstant
from qiki.contracts.agent import FsmSnapshot
from qiki.contracts.enums import FSMState
from qiki.contracts.events import (
    AGENT_BOOTED,
    AGENT_BOOTING,
    AGENT_HALTED,
    SAFE_MODE_CLEARING,
    SAFE_MODE_ENTERED,
    SAFE_MODE_LEFT,
    EventKind,
    SystemMode,
)
from qiki.contracts.events.agent import Evidence

MODES = MappingProxyType(
    {
        FSMState.BOOTING: "BOOTING",
        FSMState.IDLE: "NORMAL",
        FSMState.ACTIVE: "NORMAL",
        FSMState.ERROR_STATE: "SAFE_MODE",
        FSMState.SHUTDOWN: "SHUTDOWN",
    }
)
ENTERED = MappingProxyType({FSMState.ERROR_STATE: SAFE_MODE_ENTERED, FSMState.SHUTDOWN: AGENT_HALTED})
LEFT = MappingProxyType({FSMState.BOOTING: AGENT_BOOTED, FSMState.ERROR_STATE: SAFE_MODE_LEFT})

EmitMode = Callable[[EventKind, SystemMode, SimInstant], None]
Evidences = tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class Findings:
    """The results of one check.

    Attributes:
        ready: whether the boot has all that it needs
        rests_on: the inputs, as evidence for what has no cause
    """

    causes: tuple[Cause, ...]
    ready: bool
    rests_on: Evidences = ()


class ModeSupervisor:
    """The state machine and its conditions.

    Attributes:
        good_checks: checks in a row without a cause, in SAFE_MODE; it ends after `GOOD_CHECKS`
        causes: the last ones of the SAFE_MODE that it is in; empty in other modes
    """

    def __init__(self, machine: StateMachine, emit: EmitMode) -> None:
        self._machine = machine
        self._emit_event = emit
        self._booted = False
        self.good_checks = 0
        self.causes: tuple[Cause, ...] = ()

    @property
    def state(self) -> FSMState:
        """State of the machine."""
        return self._machine.state

    @property
    def rests_on(self) -> Evidences:
        """The evidence of the causes."""
        return tuple(evidence for cause in self.causes for evidence in cause.rests_on)

    def boot(self, instant: SimInstant, rests_on: Evidences) -> None:
        """Emit, the first time, that the boot begins."""
        if not self._booted:
            self._booted = True
            self._emit(AGENT_BOOTING, FSMState.SHUTDOWN, "BOOT", instant, rests_on)

    def check(self, findings: Findings, instant: SimInstant) -> None:
        """Enter SAFE_MODE, come closer to its end, or finish the boot."""
        if self.state is FSMState.ERROR_STATE:
            self._recover(findings, instant)
        elif findings.causes and self._machine.can(Signal.CAUSE):
            self.good_checks, self.causes = 0, findings.causes
            self._fire(Signal.CAUSE, instant, self.rests_on or findings.rests_on, findings.causes[0].trigger)
        elif findings.ready and self._machine.can(Signal.BOOT_COMPLETE):
            self._fire(Signal.BOOT_COMPLETE, instant, findings.rests_on)

    def take_proposals(self, received: bool, instant: SimInstant) -> None:
        """Become ACTIVE when engines propose something, IDLE when they do not."""
        signal = Signal.PROPOSALS_RECEIVED if received else Signal.NO_PROPOSALS
        if self._machine.can(signal):
            self._fire(signal, instant)

    def halt(self, instant: SimInstant) -> None:
        """Shut the machine down."""
        if self._machine.can(Signal.SHUTDOWN):
            self._fire(Signal.SHUTDOWN, instant)

    def snapshot(self, instant: SimInstant) -> FsmSnapshot:
        """Return the machine's state, history and mode."""
        reason = {"reason": "; ".join(cause.reason for cause in self.causes)} if self.causes else {}
        context = {"run_id": instant.run_id, "tick": str(instant.tick), "good_checks": str(self.good_checks)}
        return self._machine.snapshot(instant, context, {"mode": MODES[self.state]} | reason)

    def _recover(self, findings: Findings, instant: SimInstant) -> None:
        if findings.causes:
            self.good_checks, self.causes = 0, findings.causes
            return
        self.good_checks = min(self.good_checks + 1, GOOD_CHECKS)
        if self.good_checks == 1:
            self._emit(SAFE_MODE_CLEARING, self.state, "CAUSES_GONE", instant, findings.rests_on)
        if self.good_checks == GOOD_CHECKS:
            self._fire(Signal.ERROR_CLEARED, instant, findings.rests_on)
            self.causes = ()

    def _fire(self, signal: Signal, instant: SimInstant, rests_on: Evidences = (), trigger: str = "") -> None:
        """Fire a signal; emit the transition unless it stays in its mode."""
        record = self._machine.fire(signal, instant, trigger)
        kind = ENTERED.get(record.to_state) or LEFT.get(record.from_state)
        if kind and MODES[record.from_state] != MODES[record.to_state]:
            self._emit(kind, record.from_state, record.trigger_event, instant, rests_on)

    def _emit(
        self, kind: EventKind, previous: FSMState, trigger: str, instant: SimInstant, rests_on: Evidences
    ) -> None:
        body = SystemMode(
            ts_epoch=instant.t_s,
            run_id=instant.run_id,
            mode=MODES[self.state],
            previous=MODES[previous],
            state=self.state,
            trigger=trigger,
            reasons=tuple(cause.reason for cause in self.causes),
            rests_on=rests_on,
        )
        self._emit_event(kind, body, instant)
