"""What a kind of event is."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from qiki.clock import rfc3339
from qiki.contracts.fields import Payload
from qiki.contracts.headers import cloud_event

CODE = "x-qiki-code"
SEVERITY = "x-qiki-severity"


@dataclass(frozen=True)
class EventKind:
    """One kind of event.

    Attributes:
        code: the registrar's, 1xx to 9xx
        source: CloudEvents source; `{service}` stands for whoever raises it
        when: in words, for the documents
    """

    code: int
    name: str
    subject: str
    ce_type: str
    source: str
    severity: str
    model: type[Payload]
    when: str

    def headers(self, event_id: str, moment: datetime, service: str = "") -> Mapping[str, str]:
        """Headers of one such event; the same id again means the same event."""
        source = self.source.replace("{service}", service)
        return cloud_event(event_id, self.ce_type, source, rfc3339(moment)) | {
            CODE: str(self.code),
            SEVERITY: self.severity,
        }
