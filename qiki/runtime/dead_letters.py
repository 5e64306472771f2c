"""Dead letters: messages that cannot be handled, kept with the reason."""

import asyncio
from dataclasses import dataclass

import nats.errors
import structlog
from nats.aio.msg import Msg
from prometheus_client import Counter
from pydantic import ValidationError

from qiki.contracts.fields import first_fault
from qiki.contracts.headers import MESSAGE_ID, ORIGIN_SEQUENCE, ORIGIN_SUBJECT, REASON
from qiki.contracts.topics import dead_letter_subject
from qiki.errors import QikiError
from qiki.runtime.publisher import Publisher

DEAD_LETTERS = Counter("qiki_dead_letters_total", "Messages put aside as unreadable", ["stream"])
MAX_REASON = 500
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Stored:
    """A message of a stream."""

    subject: str
    stream: str
    sequence: int
    body: bytes

    @classmethod
    def of_delivery(cls, message: Msg) -> "Stored":
        """Return the message that a consumer delivered."""
        place = message.metadata
        return cls(message.subject, place.stream, place.sequence.stream, message.data)


async def bury(publisher: Publisher, message: Stored, reason: str | Exception) -> "asyncio.Future[None]":
    """Keep a message with the reason; return a future that is done once the letter is stored.

    The same message gives the same id, so that it is kept once. A letter that is too large for the server, because its
    headers are longer than the message's own, goes without the body.
    """
    reason = reason_text(reason)
    DEAD_LETTERS.labels(message.stream).inc()  # not by subject: publishers choose as many as they like
    log.warning("dead letter", stream=message.stream, sequence=message.sequence, reason=reason)
    subject = dead_letter_subject(message.subject)
    headers = {
        MESSAGE_ID: f"{message.stream}:{message.sequence}",
        REASON: reason,
        ORIGIN_SUBJECT: message.subject,
        ORIGIN_SEQUENCE: str(message.sequence),
    }
    try:
        return await publisher.publish(subject, message.body, headers)
    except nats.errors.MaxPayloadError:
        return await publisher.publish(subject, b"", headers)


def reason_text(reason: str | Exception) -> str:
    """Return a reason as one line of a header; of an invalid body the first fault."""
    if isinstance(reason, ValidationError):
        reason = f"{type(reason).__name__}: {first_fault(reason)}"
    elif isinstance(reason, Exception) and not isinstance(reason, QikiError):
        reason = f"{type(reason).__name__}: {reason}"
    return " ".join(str(reason)[: 4 * MAX_REASON].encode(errors="replace").decode().split())[:MAX_REASON]
