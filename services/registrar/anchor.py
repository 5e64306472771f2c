"""The chain's end as the audit stream holds it, whatever becomes of the files."""

import structlog
from nats.js import JetStreamContext
from pydantic import ValidationError

from qiki.audit.record import Head
from qiki.contracts import topics
from qiki.contracts.audit import AuditRecord
from qiki.runtime.reading import read_payload
from qiki.runtime.retry import last_message, patiently

log = structlog.get_logger()


async def newest_anchor(jetstream: JetStreamContext) -> Head | None:
    """Return the head of the newest record in the audit stream, or None; wait while the broker is away."""
    stream, subject = topics.QIKI_EVENTS_V1, topics.AUDIT.subject
    message = await patiently(lambda: last_message(jetstream, stream, subject), answers=())
    return read_anchor(message.data or b"") if message else None


def read_anchor(body: bytes) -> Head | None:
    """Return the head that an audit message makes; None where it is no audit record."""
    try:
        record = read_payload(AuditRecord, body)
    except ValidationError:
        log.error("the newest message on the audit subject is no audit record", subject=topics.AUDIT.subject)
        return None
    return Head(record.sequence, record.hash)


def continued(head: Head, anchor: Head | None) -> Head:
    """Return what the next record continues: the files' end, unless the audit stream has more.

    So missing records stay visible: no sequence is given twice.
    """
    return anchor if anchor and anchor.sequence >= head.sequence else head


def found_instead(head: Head, anchor: Head | None, contradiction: Head | None) -> Head | None:
    """Return what the files hold in place of the anchor; None where they hold it.

    Args:
        head: the files' end
        anchor: the audit stream's
        contradiction: another record with the anchor's sequence
    """
    if contradiction or anchor is None:
        return contradiction
    return head if anchor.sequence > head.sequence else None
