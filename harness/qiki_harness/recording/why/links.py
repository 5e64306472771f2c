"""The links between a run's events and orders, by the ids that they name."""

from collections.abc import Iterator

from qiki.contracts import topics
from qiki.contracts.events import (
    ACTUATOR_OK,
    BIOS_OK,
    GUARD_CLEARED,
    GUARD_RESUMED,
    IDENTITY_SPOOFED,
    PROPOSAL_ACCEPTED,
    SAFE_MODE_ENTERED,
    ActuatorOutcome,
    Decision,
    Evidence,
    SystemMode,
)
from qiki.contracts.sim import SimOrder
from qiki_harness.recording.layout import Recorded
from qiki_harness.recording.why.archive import ORDERS, Archive
from qiki_harness.recording.why.citations import Citation

DECISION, MODE = PROPOSAL_ACCEPTED.subject, SAFE_MODE_ENTERED.subject
ACTUATOR, BIOS = ACTUATOR_OK.subject, BIOS_OK.subject
ALERT, RESUMED, CLEARED, SPOOFED = (
    topics.GUARD.subject,
    GUARD_RESUMED.subject,
    GUARD_CLEARED.subject,
    IDENTITY_SPOOFED.subject,
)
NOTICES, ESTIMATES = topics.TRACKED.subject, topics.ESTIMATES.subject
ABOUT_TRACKS = frozenset({ALERT, RESUMED, CLEARED, SPOOFED})
"""Subjects of events about one track at one frame."""
_SET_MODE = "SET_MODE"
_BIOS_TRIGGER = "BIOS"


class Links:
    """Finds the event or order behind another one.

    Attributes:
        decisions: by the ids of their commands
        orders: by the id of the command
    """

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self.decisions: dict[str, Recorded] = {}
        self.orders: dict[str, Recorded] = {}
        for one in archive.events:
            if one.message.subject == DECISION:
                self.decisions |= {action.command_id: one for action in self.decision(one).actions if action.command_id}
        for one in archive.orders:
            if command_id := self.order(one).message_id:
                self.orders[command_id] = one

    def decision(self, one: Recorded) -> Decision:
        """Return the body of a decision."""
        return self._archive.read(one, Decision)

    def mode(self, one: Recorded) -> SystemMode:
        """Return the body of a change of mode."""
        return self._archive.read(one, SystemMode)

    def order(self, one: Recorded) -> SimOrder:
        """Return the body of an order."""
        return self._archive.read(one, SimOrder)

    def behind(self, one: Recorded) -> Recorded | None:
        """Return the event, order or answer that another one follows from, beside its evidence; None without one."""
        subject = one.message.subject
        if subject == ORDERS:
            command_id = self.order(one).message_id or ""
            return self.decisions.get(command_id) or self._archive.answers.get(command_id)
        if subject == ACTUATOR:
            command_id = self._archive.read(one, ActuatorOutcome).command_id or ""
            return self.orders.get(command_id) or self.decisions.get(command_id)
        if subject == DECISION:
            sets_mode = any(action.command == _SET_MODE for action in self.decision(one).actions)
            return self._before(one, MODE) if sets_mode else None
        if subject == MODE and self.mode(one).trigger.startswith(_BIOS_TRIGGER):
            return self._before(one, BIOS)
        return None

    def chain(self, one: Recorded) -> Iterator[Recorded]:
        """Yield an event or order, and those behind it."""
        found: Recorded | None = one
        while found is not None:
            yield found
            found = self.behind(found)

    def citations(self, one: Recorded) -> tuple[Citation, ...]:
        """Return the evidence of an event of the agent; none for others."""
        if one.message.subject not in {DECISION, MODE}:
            return ()
        body: Decision | SystemMode = self.decision(one) if one.message.subject == DECISION else self.mode(one)
        evidence: tuple[Evidence, ...] = body.rests_on
        return tuple(Citation(each, body.ts_epoch) for each in evidence)

    def _before(self, one: Recorded, subject: str) -> Recorded | None:
        """Return the newest event of a subject that came before another one."""
        found = None
        for other in self._archive.events:
            if other.number == one.number:
                return found
            if other.message.subject == subject:
                found = other
        return found
