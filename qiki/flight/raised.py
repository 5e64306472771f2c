"""An event that a run raised, as the service that raises it on a stack would publish it."""

from dataclasses import dataclass
from datetime import datetime

from qiki.contracts.events import EventKind
from qiki.contracts.fields import Payload
from qiki.contracts.message import Message


@dataclass(frozen=True, slots=True)
class RaisedEvent:
    """One event.

    Attributes:
        moment: simulated time
        service: who raises it on a stack
    """

    kind: EventKind
    body: Payload
    event_id: str
    moment: datetime
    service: str

    @property
    def message(self) -> Message:
        """The event, ready to publish."""
        return Message(
            self.kind.subject, self.body.to_json(), self.kind.headers(self.event_id, self.moment, self.service)
        )
