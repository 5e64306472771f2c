"""Drives the state machine by what the checks find, and tells every change of mode."""

from collections.abc import Callable
from dataclasses import dataclass

from qiki.agent.mode import events as modes
from qiki.agent.mode.faults import Cause
from qiki.agent.mode.fsm import Clearance, Signal, StateMachine
from qiki.agent.sim_instant import SimInstant
from qiki.contracts.agent import FsmSnapshot
from qiki.contracts.enums import FSMState
from qiki.contracts.events import AGENT_BOOTING, SAFE_MODE_CLEARING, EventKind, SystemMode
from qiki.contracts.events.agent import Evidence

Tell = Callable[[EventKind, SystemMode, SimInstant], None]


@dataclass(frozen=True, slots=True)
class Findings:
    """What one check found.

    Attributes:
        ready: whether everything is there that a boot needs
        rests_on: the inputs, for what rests on no cause
    """

    causes: tuple[Cause, ...]
    ready: bool
    rests_on: tuple[Evidence, ...] = ()


class Supervisor:
    """The state machine and its conditions.

    Attributes:
        reasons: of the SAFE_MODE that it is in, the last ones that there were; empty in other modes
        rests_on: the messages behind them; empty where the causes name none
    """

    def __init__(self, machine: StateMachine, tell: Tell) -> None:
        self._machine = machine
        self._tell = tell
        self._clearance = Clearance()
        self._booted = False
        self.reasons: tuple[str, ...] = ()
        self.rests_on: tuple[Evidence, ...] = ()

    @property
    def state(self) -> FSMState:
        """Where the machine stands."""
        return self._machine.state

    @property
    def good_checks(self) -> int:
        """How many checks in a row found no cause, in SAFE_MODE."""
        return self._clearance.good

    def boot(self, stamp: SimInstant, rests_on: tuple[Evidence, ...]) -> None:
        """Tell, the first time, that the boot begins."""
        if not self._booted:
            self._booted = True
            self._tell(AGENT_BOOTING, modes.body(FSMState.SHUTDOWN, self.state, "BOOT", stamp, (), rests_on), stamp)

    def check(self, findings: Findings, stamp: SimInstant) -> None:
        """One check: enter SAFE_MODE, come closer to its end, or finish the boot."""
        if self.state is FSMState.ERROR_STATE:
            self._recover(findings, stamp)
        elif findings.causes and self._machine.can(Signal.CAUSE):
            self._enter_safe_mode(findings, stamp)
        elif findings.ready and self._machine.can(Signal.BOOT_COMPLETE):
            self._fire(Signal.BOOT_COMPLETE, stamp, rests_on=findings.rests_on)

    def take_proposals(self, received: bool, stamp: SimInstant) -> None:
        """Whether engines propose something: ACTIVE, or not: IDLE."""
        signal = Signal.PROPOSALS_RECEIVED if received else Signal.NO_PROPOSALS
        if self._machine.can(signal):
            self._fire(signal, stamp)

    def halt(self, stamp: SimInstant) -> None:
        """The agent is told to stop."""
        if self._machine.can(Signal.SHUTDOWN):
            self._fire(Signal.SHUTDOWN, stamp, reasons=self.reasons)

    def snapshot(self, stamp: SimInstant) -> FsmSnapshot:
        """The machine as it stands, with its mode and the reason for it."""
        reason = {"reason": "; ".join(self.reasons)} if self.reasons else {}
        context = {"run_id": stamp.run_id, "tick": str(stamp.tick), "good_checks": str(self.good_checks)}
        return self._machine.snapshot(stamp, context, {"mode": modes.MODES[self.state]} | reason)

    def _enter_safe_mode(self, findings: Findings, stamp: SimInstant) -> None:
        self._clearance.check(well=False)
        self._note(findings.causes)
        trigger = findings.causes[0].trigger
        self._fire(Signal.CAUSE, stamp, trigger, self.reasons, self.rests_on or findings.rests_on)

    def _recover(self, findings: Findings, stamp: SimInstant) -> None:
        if findings.causes:
            self._note(findings.causes)
        if self._clearance.check(well=not findings.causes) == 1:
            body = modes.body(self.state, self.state, "CAUSES_GONE", stamp, self.reasons, findings.rests_on)
            self._tell(SAFE_MODE_CLEARING, body, stamp)
        if self._clearance.given:
            reasons = self.reasons
            self._note(())
            self._fire(Signal.ERROR_CLEARED, stamp, "", reasons, findings.rests_on)

    def _note(self, causes: tuple[Cause, ...]) -> None:
        self.reasons = tuple(cause.reason for cause in causes)
        self.rests_on = tuple(evidence for cause in causes for evidence in cause.rests_on)

    def _fire(
        self,
        signal: Signal,
        stamp: SimInstant,
        trigger: str = "",
        reasons: tuple[str, ...] = (),
        rests_on: tuple[Evidence, ...] = (),
    ) -> None:
        record = self._machine.fire(signal, stamp, trigger)
        if kind := modes.event_of(record):
            body = modes.body(record.from_state, record.to_state, record.trigger_event, stamp, reasons, rests_on)
            self._tell(kind, body, stamp)
