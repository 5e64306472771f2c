"""Radar traffic into the audit log: the messages that a stream stored within one second of wall time are one record."""

import asyncio
import contextlib
import itertools
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from nats.aio.msg import Msg
from pydantic_core import from_json

from qiki.audit.record import Draft, own_draft
from qiki.clock import parse_rfc3339, rfc3339
from qiki.contracts import topics
from qiki.contracts.events import RADAR_FRAMES_SEEN, RADAR_TRACKS_SEEN, EventKind, RadarFramesSeen, RadarTracksSeen
from qiki.contracts.radar import MAX_FRAME_NODES
from qiki.contracts.topics import Topic
from qiki.runtime.clock import now
from qiki.runtime.nats import Link
from qiki.runtime.retry import StoppingError, unless_stopping
from qiki.runtime.service import Service
from qiki.runtime.stream import Begin, StreamPosition, StreamReader
from qiki.runtime.tasks import TaskGroup
from registrar.registry import Registry
from registrar.settings import RegistrarSettings

BATCH = 500
QUIET_S = 0.5
GRACE_S = 1.0
MAX_AMOUNT = 1_000_000

Waiting = asyncio.Queue[tuple[str, Msg]]  # the creation of the stream, and a message of it


@dataclass(frozen=True)
class Traffic:
    """A topic whose messages are counted."""

    topic: Topic[Any]
    kind: EventKind
    payload: type[RadarFramesSeen | RadarTracksSeen]  # of the record of a second
    amount: str  # the payload's field for what is counted
    count: Callable[[Any], int]  # of a message's JSON value


TRAFFIC = (
    Traffic(topics.FRAMES, RADAR_FRAMES_SEEN, RadarFramesSeen, "detections", lambda frame: len(frame["detections"])),
    Traffic(topics.TRACKED, RADAR_TRACKS_SEEN, RadarTracksSeen, "tracks", lambda tracked: int(tracked["tracks"])),
)


@dataclass(frozen=True, slots=True)
class Second:
    """The messages of one second."""

    second_epoch: int
    first_sequence: int
    last_sequence: int
    frames: int = 0
    unreadable: int = 0
    amount: int = 0

    @classmethod
    def of(cls, second_epoch: int, taken: Sequence[tuple[int, int | None]]) -> "Second":
        """Return the second of messages, each with its sequence and what is in it (None: unreadable)."""
        amounts = [amount for _, amount in taken if amount is not None]
        unreadable = len(taken) - len(amounts)
        return cls(second_epoch, taken[0][0], taken[-1][0], len(amounts), unreadable, sum(amounts))


class Seconds:
    """Groups messages in the stream's order by their second. No message is in two groups.

    A killed broker may lose its last messages: then others, or the same again, come at their places, and replace them
    in the groups that are not over.
    """

    def __init__(self) -> None:
        self._taken: list[tuple[int, int, int | None]] = []  # second, sequence, amount

    def take(self, sequence: int, stored_at: datetime, amount: int | None) -> None:
        """Count a message and what is in it (None: unreadable)."""
        while self._taken and self._taken[-1][1] >= sequence:
            self._taken.pop()
        self._taken.append((int(stored_at.timestamp()), sequence, amount))

    def over(self, moment: datetime) -> list[Second]:
        """Return the groups whose second ended `GRACE_S` ago: they are complete, and the broker has written them."""
        newest = moment.timestamp() - 1 - GRACE_S
        over = list(itertools.takewhile(lambda taken: taken[0] <= newest, self._taken))
        del self._taken[: len(over)]
        groups = itertools.groupby(over, key=lambda taken: taken[0])
        return [Second.of(second, [taken[1:] for taken in group]) for second, group in groups]


async def summarise(
    service: Service[RegistrarSettings], link: Link, registry: Registry, traffic: Traffic, last: dict[str, Any]
) -> None:
    """Summarise what follows the last summary on record, whose payload is `last`, until the service stops."""
    waiting: Waiting = asyncio.Queue(BATCH)

    async def take(message: Msg, _: int) -> None:
        await waiting.put((rfc3339(reader.created) if reader.created else "", message))

    reader = StreamReader(link.client, str(traffic.topic.stream), take, _behind(last), (traffic.topic.subject,))
    async with TaskGroup() as group:
        reading = group.create_task(reader.run())
        with contextlib.suppress(StoppingError):
            await _register(service, registry, traffic, reader, waiting)
        reading.cancel()


async def _register(
    service: Service[RegistrarSettings], registry: Registry, traffic: Traffic, reader: StreamReader, waiting: Waiting
) -> None:
    """Register each second of the messages that wait, once it is over; StoppingError when the service stops.

    While the reader has no consumer nothing is over: the broker may have lost messages that were taken.
    """
    created, seconds = "", Seconds()
    while True:
        for of_stream, message in await unless_stopping(service.stopping, _batch(waiting)):
            if of_stream != created:
                created, seconds = of_stream, Seconds()
            place = message.metadata
            seconds.take(place.sequence.stream, place.timestamp, amount_of(message.data, traffic))
        if reader.following.is_set():
            await registry.register([draft_of(traffic, created, second) for second in seconds.over(now())])


async def _batch(waiting: Waiting) -> list[tuple[str, Msg]]:
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


def amount_of(body: bytes, traffic: Traffic) -> int | None:
    """Return the number that a message adds; None if it cannot be read."""
    if body.count(b"{") + body.count(b"[") > MAX_FRAME_NODES:
        return None
    try:
        amount = traffic.count(from_json(body))
    except Exception:  # a publisher chooses what it sends
        return None
    return amount if 0 <= amount <= MAX_AMOUNT else None


def draft_of(traffic: Traffic, created: str, second: Second) -> Draft:
    """Return the record of a second."""
    values = asdict(second)
    values |= {traffic.amount: values.pop("amount"), "ts_epoch": second.second_epoch}
    payload = traffic.payload(stream=str(traffic.topic.stream), stream_created=created, **values)
    event_id = f"{traffic.topic.subject}:{created}:{second.first_sequence}-{second.last_sequence}"
    return own_draft(traffic.kind, event_id, payload, datetime.fromtimestamp(second.second_epoch, tz=UTC))
