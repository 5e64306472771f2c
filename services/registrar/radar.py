"""Radar traffic into the audit log: a record a second of frames, and one of tracked frames."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from nats.aio.msg import Msg
from pydantic_core import from_json

from qiki.audit.record import Draft, own_draft
from qiki.audit.summary import Counted, Second, Seconds
from qiki.clock import parse_rfc3339, rfc3339
from qiki.contracts import topics
from qiki.contracts.events import RADAR_FRAMES_SEEN, RADAR_TRACKS_SEEN, EventKind, RadarFramesSeen, RadarTracksSeen
from qiki.contracts.topics import Topic
from qiki.runtime.clock import now
from qiki.runtime.nats import Link
from qiki.runtime.retry import StoppingError
from qiki.runtime.service import Service
from qiki.runtime.stream import Begin, StreamPosition, StreamReader
from registrar.registry import Registry
from registrar.settings import RegistrarSettings

BATCH = 500
QUIET_S = 0.5
MAX_AMOUNT = 1_000_000


@dataclass(frozen=True)
class Traffic:
    """A topic whose messages are counted.

    Attributes:
        payload: of the record of a second
        amount: the payload's field for what is counted
        count: of a message's JSON value
    """

    topic: Topic[Any]
    kind: EventKind
    payload: type[RadarFramesSeen | RadarTracksSeen]
    amount: str
    count: Callable[[Any], int]


TRAFFIC = (
    Traffic(topics.FRAMES, RADAR_FRAMES_SEEN, RadarFramesSeen, "detections", lambda frame: len(frame["detections"])),
    Traffic(topics.TRACKED, RADAR_TRACKS_SEEN, RadarTracksSeen, "tracks", lambda tracked: int(tracked["tracks"])),
)


async def summarise(
    service: Service[RegistrarSettings], link: Link, registry: Registry, traffic: Traffic, last: dict[str, Any]
) -> None:
    """Read on behind the last summary that is on record, until the service stops.

    Args:
        service: whose life it is
        link: connection to the broker that keeps the topic
        registry: where the summaries go
        traffic: which topic
        last: payload of the last summary; empty where there is none
    """
    waiting = asyncio.Queue[tuple[str, Msg]](BATCH)

    async def take(message: Msg, _: int) -> None:
        await waiting.put((_created(reader), message))

    reader = StreamReader(link.client, str(traffic.topic.stream), take, _behind(last), (traffic.topic.subject,))
    async with asyncio.TaskGroup() as group:
        reading = group.create_task(reader.run())
        with contextlib.suppress(StoppingError):
            await _register(service, registry, traffic, waiting)
        reading.cancel()


async def _register(
    service: Service[RegistrarSettings], registry: Registry, traffic: Traffic, waiting: "asyncio.Queue[tuple[str, Msg]]"
) -> None:
    """Register each second of the messages that wait, once it is over."""
    created, seconds = "", Seconds()
    while not service.stopping.is_set():
        drafts = list[Draft]()
        messages = await _batch(waiting)
        for of_stream, message in messages:
            if of_stream != created:
                created, seconds = of_stream, Seconds()
            if (second := seconds.take(counted(message, traffic))) is not None:
                drafts.append(draft_of(traffic, created, second))
        if not messages and (last := seconds.over(now())) is not None:
            drafts.append(draft_of(traffic, created, last))
        await registry.register(drafts)


async def _batch(waiting: "asyncio.Queue[tuple[str, Msg]]") -> list[tuple[str, Msg]]:
    """Return the messages that wait; nothing where none comes within half a second."""
    try:
        async with asyncio.timeout(QUIET_S):
            messages = [await waiting.get()]
    except TimeoutError:
        return []
    while not waiting.empty():
        messages.append(waiting.get_nowait())
    return messages


def _behind(last: dict[str, Any]) -> Begin | StreamPosition:
    try:
        return StreamPosition(parse_rfc3339(last["stream_created"]), int(last["last_sequence"]))
    except (LookupError, ValueError, TypeError):
        return Begin.OLDEST


def _created(reader: StreamReader) -> str:
    return rfc3339(reader.created) if reader.created else ""


def counted(message: Msg, traffic: Traffic) -> Counted:
    """Return what a message adds."""
    try:
        amount: int | None = traffic.count(from_json(message.data))
    except Exception:  # a publisher chooses what it sends
        amount = None
    if amount is not None and not 0 <= amount <= MAX_AMOUNT:
        amount = None
    return Counted(message.metadata.sequence.stream, message.metadata.timestamp, amount)


def draft_of(traffic: Traffic, created: str, second: Second) -> Draft:
    """Return the record of a second."""
    payload = traffic.payload(
        **{traffic.amount: second.amount},
        stream=str(traffic.topic.stream),
        stream_created=created,
        first_sequence=second.first_sequence,
        last_sequence=second.last_sequence,
        second_epoch=second.second_epoch,
        ts_epoch=second.second_epoch,
        frames=second.frames,
        unreadable=second.unreadable,
    )
    event_id = f"{traffic.topic.subject}:{created}:{second.first_sequence}-{second.last_sequence}"
    return own_draft(traffic.kind, event_id, payload, datetime.fromtimestamp(second.second_epoch, tz=UTC))
