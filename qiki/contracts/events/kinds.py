"""One kind of event, and the headers of its messages."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from qiki.clock import rfc3339
from qiki.contracts.events.codes import CODES
from qiki.contracts.fields import Payload
from qiki.contracts.headers import cloud_event

CODE = "x-qiki-code"
SEVERITY = "x-qiki-severity"


@dataclass(frozen=True)
class EventKind:
    """One kind of event.

    Attributes:
        code: the registrar's, 1xx to 9xx
        source: CloudEvents source; `{service}` stands for the service that raises the event
        when: for the documents
    """

    code: int
    subject: str
    ce_type: str
    source: str
    severity: str
    model: type[Payload]
    when: str

    @property
    def name(self) -> str:
        """The code's name."""
        return CODES[self.code]

    def headers(self, event_id: str, moment: datetime, service: str = "") -> Mapping[str, str]:
        """Return the headers of one event of this kind. The same id means the same event."""
        source = self.source.replace("{service}", service)
        return cloud_event(event_id, self.ce_type, source, rfc3339(moment)) | {
            CODE: str(self.code),
            SEVERITY: self.severity,
        }
