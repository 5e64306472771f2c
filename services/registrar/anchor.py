"""The chain's end as the audit stream holds it: what becomes of the files does not touch it."""

import asyncio

import nats.errors
import structlog
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError
from pydantic import ValidationError

from qiki.audit.record import Head
from qiki.contracts import topics
from qiki.contracts.audit import AuditRecord
from qiki.runtime.reading import read_payload

RETRY_S = 0.1
log = structlog.get_logger()


async def newest_anchor(jetstream: JetStreamContext) -> Head | None:
    """The newest record in the audit stream; None where it holds none. Waits for a broker that is away."""
    while True:
        try:
            message = await jetstream.get_last_msg(topics.QIKI_EVENTS_V1, topics.AUDIT.subject)
        except NotFoundError:
            return None
        except (nats.errors.Error, TimeoutError):
            await asyncio.sleep(RETRY_S)
        else:
            return read_anchor(message.data or b"")


def read_anchor(body: bytes) -> Head | None:
    """The end of the chain that an audit message makes; None for what is none."""
    try:
        record = read_payload(AuditRecord, body)
    except ValidationError:
        log.error("the newest message on the audit subject is no audit record", subject=topics.AUDIT.subject)
        return None
    return Head(record.sequence, record.hash)


def continued(head: Head, anchor: Head | None) -> Head:
    """What the next record continues: the files' end, unless the audit stream knows of more.

    Then what is missing stays visible: no sequence is given twice.
    """
    return anchor if anchor and anchor.sequence >= head.sequence else head


def found_instead(head: Head, anchor: Head | None, contradiction: Head | None) -> Head | None:
    """What the files hold in place of the anchor; None where they hold it.

    Args:
        head: the files' end
        anchor: the audit stream's
        contradiction: another record with the anchor's sequence
    """
    if contradiction or anchor is None:
        return contradiction
    return head if anchor.sequence > head.sequence else None
