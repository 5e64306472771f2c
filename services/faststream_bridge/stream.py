"""The radar stream: the bridge's position in it, its frames by sequence, and checks that it is still the same.

What a dead reader held is redelivered only after the ack wait, and out of order: so it is read by sequence. Sequences
mean nothing in another stream. The server does not say that a stream or a durable was removed or made again, or that
it came back without its last messages. Then the bridge ends, and its next start finds out where to continue.
"""

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import structlog
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import ConsumerInfo, RawStreamMsg, StreamInfo
from nats.js.errors import NotFoundError

from faststream_bridge.frames import Delivery, read_content
from faststream_bridge.notices import newest_notice
from faststream_bridge.snapshot import Snapshot
from qiki.contracts import topics
from qiki.contracts.headers import FRAME, RUN, SEQUENCE
from qiki.contracts.numbers import MAX_SEQUENCE, whole_number
from qiki.errors import UserError
from qiki.runtime.retry import patiently, until_there
from qiki.runtime.service import S, Service

Durables = Mapping[tuple[str, str], ConsumerInfo]
"""By stream and name."""
log = structlog.get_logger()
PRECISION = timedelta(milliseconds=1)
"""Two ways of reading a message give times that differ a little; a broker's start takes longer."""


@dataclass(frozen=True)
class Position:
    """The stream, the durable and the progress of its readers, as stream sequences."""

    stream: str  # time at which the radar stream was made
    durable: str  # time at which our durable was made
    first_sequence: int  # oldest message of the stream
    last_sequence: int  # newest message of the stream
    floor: int  # everything up to it has been acknowledged
    delivered: int  # the newest that any reader of the durable was given
    delivered_count: int  # number of deliveries
    announced: int  # everything up to it has been announced as tracked


async def position(service: Service[S], jetstream: JetStreamContext) -> Position:
    """Return the bridge's position, once streams and durable exist; raise StoppingError if the service stops first."""
    problem = f"{topics.QIKI_RADAR_V1} and {topics.FRAMES_DURABLE} are not there yet"
    return await until_there(service, problem, lambda: _ask(jetstream))


async def _ask(jetstream: JetStreamContext) -> Position:
    stream = await jetstream.stream_info(topics.QIKI_RADAR_V1)
    durable = await jetstream.consumer_info(topics.QIKI_RADAR_V1, topics.FRAMES_DURABLE)
    announced = await _announced(jetstream, stream.created)
    delivered, floor, state = durable.delivered, durable.ack_floor, stream.state
    return Position(
        str(stream.created),
        str(durable.created),
        state.first_seq,
        state.last_seq,
        floor=floor.stream_seq if floor else 0,
        delivered=delivered.stream_seq if delivered else 0,
        delivered_count=delivered.consumer_seq if delivered else 0,
        announced=announced if announced <= state.last_seq else 0,
    )


async def _announced(jetstream: JetStreamContext, created: datetime | None) -> int:
    """Return the sequence of the newest frame that was announced as tracked, and is; 0 where there is none.

    A notice of before the stream was made does not count, nor one of another frame than the one in its place, or older
    than that: the broker has lost the frame that it was for. It may be younger: a publisher sends it again.
    """
    notice = await newest_notice(jetstream)
    if notice is None or notice.time is None or created is None or notice.time < created:
        return 0
    try:
        sequence = whole_number((notice.headers or {}).get(SEQUENCE, "0"), SEQUENCE, MAX_SEQUENCE)
    except ValueError as error:
        log.warning("newest notice unreadable", sequence=notice.seq, reason=str(error))
        return 0
    try:
        frame = await jetstream.get_msg(topics.QIKI_RADAR_V1, seq=sequence) if sequence > 0 else None
    except NotFoundError:  # aged away, or beyond the stream's end
        return sequence
    if frame and (_is_another(frame, notice) or (frame.time and frame.time > notice.time + PRECISION)):
        return 0
    return max(sequence, 0)


def _is_another(frame: RawStreamMsg, notice: RawStreamMsg) -> bool:
    """Return whether a frame of a run is not the one that the notice is for."""
    of_frame, of_notice = frame.headers or {}, notice.headers or {}
    return any(of_frame[name] != of_notice.get(name) for name in (RUN, FRAME) if name in of_frame)


class StoredFrames:
    """The frames of the radar stream, by sequence."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._jetstream = client.jetstream()

    async def between(self, first: int, last: int) -> AsyncIterator[Delivery]:
        """Yield the frames from `first` to `last`, both included, in order; wait while the broker is away."""
        frames, subject = topics.QIKI_RADAR_V1, topics.FRAMES.subject
        get = partial(self._jetstream.get_msg, frames, subject=subject, direct=True, next=True)
        while first <= last:
            try:
                message = await patiently(partial(get, seq=first))  # at `first` or behind it
            except NotFoundError:
                return
            if message.seq is None or message.seq > last:
                return
            first = message.seq + 1
            body, headers = message.data or b"", message.headers
            acknowledge = partial(self._acknowledge, message.seq)
            yield Delivery(message.seq, body, headers, read_content(body, headers), acknowledge, message.time)

    async def when(self, sequence: int) -> datetime | None:
        """Return when the frame at `sequence` was stored; None where there is none."""
        async for delivery in self.between(sequence, sequence):
            return delivery.stored
        return None

    async def _acknowledge(self, sequence: int) -> None:
        """Acknowledge what was delivered to a reader that died.

        Else it would count as pending until the ack wait is over, and a few deaths in a row would fill the durable's
        limit of pending messages. Of the reply subject of a delivery (ADR-15) only the stream sequence matters for an
        explicit acknowledgement; the server ignores one for what is not pending.
        """
        reply = f"$JS.ACK.{topics.QIKI_RADAR_V1}.{topics.FRAMES_DURABLE}.1.{sequence}.1.1.0"
        await self._client.publish(reply, b"+ACK")


class StreamChangedError(UserError):
    """The stream or the durable is no longer the one that the bridge follows."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} while the bridge followed it; started again, it finds out where to go on")


class Newest:
    """The time when the newest message handled was stored; the broker's clock may have been set back since."""

    def __init__(self) -> None:
        self.stored: datetime | None = None  # None: not known
        self._latest: datetime | None = None

    def note(self, stored: datetime | None) -> None:
        """Note a message that was handled."""
        self.stored = stored
        if stored is not None:
            self._latest = max(self._latest or stored, stored)

    def check(self, stored: datetime | None) -> None:
        """Raise StreamChangedError if a message of a handled sequence was stored later than any handled one."""
        if stored and self._latest and stored > self._latest + PRECISION:
            raise StreamChangedError(f"{topics.QIKI_RADAR_V1} was made again, or lost its last messages,")


async def covers(snapshot: Snapshot, where: Position, frames: StoredFrames) -> bool:
    """Return whether the newest frame of a snapshot is the one that the stream holds at its sequence.

    It is not where the broker lost it and others have taken its place. A frame that has aged away counts as the same.
    """
    if snapshot.stored is None or snapshot.sequence < where.first_sequence:
        return True
    stored = await frames.when(snapshot.sequence)
    return stored is not None and abs(stored - snapshot.stored) <= PRECISION


def check_followed(where: Position, sequence: int, streams: Iterable[StreamInfo], durables: Durables) -> None:
    """Compare stream and durable with those at the start, `where`; raise StreamChangedError if they are not the same.

    `sequence` is that of the newest message handled before the server was asked for all its streams and durables.
    """
    name, reader = topics.QIKI_RADAR_V1, topics.FRAMES_DURABLE
    stream = next((one for one in streams if one.config.name == name), None)
    durable = durables.get((name, reader))
    if stream is None:
        raise StreamChangedError(f"{name} was removed")
    if str(stream.created) != where.stream:
        raise StreamChangedError(f"{name} was made again")
    if stream.state.last_seq < sequence:
        raise StreamChangedError(f"{name} lost its last {sequence - stream.state.last_seq} messages")
    if durable is None:
        raise StreamChangedError(f"{reader} was removed")
    if str(durable.created) != where.durable:
        raise StreamChangedError(f"{reader} was made again")
