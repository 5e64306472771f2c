"""The newest events, read as anybody would: CloudEvents in binary mode, those of the platform of the table's kinds."""

import re

from qiki.contracts import topics
from qiki.contracts.audit import AUDIT_SOURCE, AUDIT_TYPE, AuditRecord
from qiki.contracts.cloudevents import BrokenEventError, CloudEvent, header_value, read_cloud_event
from qiki.contracts.events import CODE, EVENTS, EventKind
from qiki.contracts.fields import Payload
from qiki.contracts.headers import MESSAGE_ID
from qiki_harness.smoke.check import CheckFailedError
from qiki_harness.twin import Event, Record, Twin, UnreadableError

NEWEST = 200
OURS = "urn:qiki:"
"""Other sources may publish what the table does not know."""


def cloudevents(twin: Twin) -> str:
    """Check that the newest events can be read, and that the platform's are as the table says."""
    events = twin.newest(topics.EVENTS, NEWEST)
    if not events:
        raise CheckFailedError(f"{topics.QIKI_EVENTS_V1} holds no event")
    types = {check_event(event).type for event in events}
    return f"the newest {len(events)} events are right, of {len(types)} types"


def check_event(record: Record[Event]) -> CloudEvent:
    """Read an event and compare it with the table.

    Raises:
        UnreadableError: it is no CloudEvent, or one of the platform's that the table does not have.
    """
    try:
        event = read_cloud_event(record.headers, record.body)
    except BrokenEventError as error:
        raise UnreadableError(record, str(error)) from None
    if record.headers.get(MESSAGE_ID) != header_value(event.id):
        raise UnreadableError(record, f"{MESSAGE_ID} is {record.headers.get(MESSAGE_ID)!r}, ce-id {event.id!r}")
    if event.source.startswith(OURS):
        record.parse(_model(record, event))
    return event


def _model(record: Record[Event], event: CloudEvent) -> type[Payload]:
    """Return the model of its body."""
    if (record.subject, event.type, event.source) == (topics.AUDIT.subject, AUDIT_TYPE, AUDIT_SOURCE):
        return AuditRecord
    kinds = [kind for kind in EVENTS if (kind.subject, kind.ce_type) == (record.subject, event.type)]
    if not kinds:
        raise UnreadableError(record, f"ce-type: {event.type} is not known on this subject")
    if not any(_is_source(event.source, kind) for kind in kinds):
        raise UnreadableError(record, f"ce-source: {event.source} does not raise {event.type}")
    codes = {str(kind.code) for kind in kinds}
    if record.headers.get(CODE) not in codes:
        raise UnreadableError(record, f"{CODE}: {record.headers.get(CODE)}: expected {' or '.join(sorted(codes))}")
    return kinds[0].model


def _is_source(source: str, kind: EventKind) -> bool:
    pattern = re.escape(kind.source).replace(re.escape("{service}"), "[a-z-]+")
    return re.fullmatch(pattern, source) is not None
