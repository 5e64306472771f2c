"""Where the bridge stands in the radar stream, and the stream by sequence.

What a dead reader held comes again only after the ack wait, and out of order: so it is read by sequence.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import structlog
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import RawStreamMsg
from nats.js.errors import NotFoundError

from faststream_bridge.frames import Delivery, read_content
from qiki.contracts import topics
from qiki.contracts.headers import SEQUENCE
from qiki.runtime.retry import last_message, patiently, until_there
from qiki.runtime.service import S, Service

log = structlog.get_logger()
PRECISION = timedelta(milliseconds=1)
"""Two ways of reading a message give times that differ a little; a broker's start takes longer."""


@dataclass(frozen=True)
class Position:
    """Where the pipeline stands.

    Attributes:
        stream: when the radar stream was made
        durable: when our durable was made
        first_sequence: its oldest message
        last_sequence: its newest message
        floor: everything up to it has been acknowledged
        delivered: the newest that any reader of the durable was given, as stream sequence
        delivered_count: how many deliveries there were
        announced: everything up to it has been announced as tracked
    """

    stream: str
    durable: str
    first_sequence: int
    last_sequence: int
    floor: int
    delivered: int
    delivered_count: int
    announced: int


async def position(service: Service[S], jetstream: JetStreamContext) -> Position:
    """Return where the pipeline stands, once the streams and the durable are there.

    Raises:
        StoppingError: the service stops first.
    """
    problem = f"{topics.QIKI_RADAR_V1} and {topics.FRAMES_DURABLE} are not there yet"
    return await until_there(service, problem, lambda: _ask(jetstream))


async def _ask(jetstream: JetStreamContext) -> Position:
    stream = await jetstream.stream_info(topics.QIKI_RADAR_V1)
    durable = await jetstream.consumer_info(topics.QIKI_RADAR_V1, topics.FRAMES_DURABLE)
    announced = await _announced(jetstream, stream.created)
    delivered, floor = durable.delivered, durable.ack_floor
    last = stream.state.last_seq
    return Position(
        stream=str(stream.created),
        durable=str(durable.created),
        first_sequence=stream.state.first_seq,
        last_sequence=last,
        floor=floor.stream_seq if floor else 0,
        delivered=delivered.stream_seq if delivered else 0,
        delivered_count=delivered.consumer_seq if delivered else 0,
        announced=announced if announced <= last else 0,
    )


async def _announced(jetstream: JetStreamContext, created: datetime | None) -> int:
    """Return the sequence of the newest frame that was announced as tracked; 0 where there is none.

    A notice of before the stream was made does not count, nor one that is older than the frame in its place: the broker
    has lost the frame that it was for.
    """
    notice = await last_message(jetstream, topics.QIKI_TRACKER_V1, topics.TRACKED.subject)
    if notice is None or notice.time is None or created is None or notice.time < created:
        return 0
    try:
        sequence = int((notice.headers or {}).get(SEQUENCE, 0))
    except ValueError:
        log.warning("newest notice unreadable", subject=topics.TRACKED.subject, sequence=notice.seq)
        return 0
    try:
        frame = await jetstream.get_msg(topics.QIKI_RADAR_V1, seq=sequence) if sequence > 0 else None
    except NotFoundError:  # aged away, or beyond the stream's end
        return sequence
    return 0 if frame and frame.time and frame.time > notice.time + PRECISION else max(sequence, 0)


class StoredFrames:
    """The frames of the radar stream, by sequence."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._jetstream = client.jetstream()

    async def between(self, first: int, last: int) -> AsyncIterator[Delivery]:
        """Yield the frames from `first` to `last`, both included, in order; wait while the broker is away."""
        sequence = first
        while sequence <= last:
            try:
                message = await patiently(partial(self._next, sequence))
            except NotFoundError:
                return
            if message.seq is None or message.seq > last:
                return
            sequence = message.seq + 1
            body, headers = message.data or b"", message.headers
            acknowledge = partial(self._acknowledge, message.seq)
            yield Delivery(message.seq, body, headers, read_content(body, headers), acknowledge, message.time)

    async def _next(self, sequence: int) -> RawStreamMsg:
        """Return the first frame at `sequence` or behind it."""
        return await self._jetstream.get_msg(
            topics.QIKI_RADAR_V1, seq=sequence, subject=topics.FRAMES.subject, direct=True, next=True
        )

    async def when(self, sequence: int) -> datetime | None:
        """Return when the frame at `sequence` was stored; None where there is none."""
        async for delivery in self.between(sequence, sequence):
            return delivery.stored
        return None

    async def _acknowledge(self, sequence: int) -> None:
        """Acknowledge what was delivered to a reader that died.

        Without it the message would count as pending until the ack wait is over, and a few deaths in a row would fill
        the durable's limit of pending messages. Of the reply subject of a delivery (ADR-15) only the stream sequence
        matters for an explicit acknowledgement; the server ignores one for what is not pending.
        """
        reply = f"$JS.ACK.{topics.QIKI_RADAR_V1}.{topics.FRAMES_DURABLE}.1.{sequence}.1.1.0"
        await self._client.publish(reply, b"+ACK")
