"""The broker's copy of the audit log's end: the newest signed head, and the newest record."""

from collections.abc import Sequence
from dataclasses import dataclass

from nats.js import JetStreamContext
from nats.js.errors import NotFoundError
from pydantic import ValidationError

from qiki.audit.record import Head
from qiki.audit.signing import PublicKey
from qiki.contracts import topics
from qiki.contracts.audit import ANCHOR_TYPE, AUDIT_SOURCE, AuditAnchor, AuditRecord
from qiki.contracts.headers import cloud_event
from qiki.runtime.reading import read_payload
from qiki.runtime.retry import last_message, patiently

MAX_SKIPPED = 1000


@dataclass(frozen=True, slots=True)
class Anchors:
    """The newest anchor that one of some keys signed; `skipped` messages after it, up to 1,000, are none of theirs."""

    newest: AuditAnchor | None = None
    skipped: int = 0
    last_sequence: int = 0  # of the stream


@dataclass(frozen=True, slots=True)
class Told:
    """The newest message on the audit subject: its place in the stream, and its head; None: it is no audit record."""

    stream_sequence: int
    head: Head | None


async def newest_anchor(jetstream: JetStreamContext, keys: Sequence[PublicKey]) -> Anchors:
    """Look back for an anchor of one of these keys; wait while the broker is away.

    Raises:
        NotFoundError: there is no such stream.
    """
    stream, subject = topics.QIKI_ANCHOR_V1, topics.ANCHOR.subject
    last = await patiently(lambda: last_message(jetstream, stream, subject))
    if last is None or last.seq is None:
        return Anchors()
    skipped, body = 0, last.data
    for sequence in range(last.seq, max(0, last.seq - MAX_SKIPPED), -1):
        if sequence != last.seq:
            body = await _message(jetstream, sequence)
        if body is not None and (anchor := read_anchor(body, keys)):
            return Anchors(anchor, skipped, last.seq)
        skipped += body is not None
    return Anchors(None, skipped, last.seq)


async def _message(jetstream: JetStreamContext, sequence: int) -> bytes | None:
    try:
        message = await patiently(lambda: jetstream.get_msg(topics.QIKI_ANCHOR_V1, sequence))
    except NotFoundError:
        return None
    return message.data or b""


def read_anchor(body: bytes, keys: Sequence[PublicKey]) -> AuditAnchor | None:
    """Return the anchor that a message is, if one of the keys signed it."""
    try:
        anchor = read_payload(AuditAnchor, body)
    except ValidationError:
        return None
    return anchor if any(key.signed(anchor) for key in keys) else None


def anchor_headers(anchor: AuditAnchor) -> dict[str, str]:
    """Return the headers of an anchor: the same head makes the same message id."""
    moment = anchor.model_dump(mode="json")["signed_at"]
    return cloud_event(f"anchor:{anchor.sequence}:{anchor.hash}", ANCHOR_TYPE, AUDIT_SOURCE, moment)


async def newest_record(jetstream: JetStreamContext) -> Told | None:
    """Return the newest message on the audit subject, if there is one; wait while the broker is away."""
    stream, subject = topics.QIKI_EVENTS_V1, topics.AUDIT.subject
    message = await patiently(lambda: last_message(jetstream, stream, subject), answers=())
    return Told(message.seq or 0, read_head(message.data or b"")) if message else None


def read_head(body: bytes) -> Head | None:
    """Return the head that a message on the audit subject makes; None if it is no audit record."""
    try:
        record = read_payload(AuditRecord, body)
    except ValidationError:
        return None
    return Head(record.sequence, record.hash)
