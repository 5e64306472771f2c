"""Radar traffic into the audit log: a record a second of frames, and one of tracked frames."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from nats.aio.msg import Msg
from nats.js import JetStreamContext
from pydantic_core import from_json

from qiki.audit.record import Draft, own_draft
from qiki.audit.summary import Counted, Second, Seconds
from qiki.contracts import topics
from qiki.contracts.events import (
    RADAR_FRAMES_SEEN,
    RADAR_TRACKS_SEEN,
    EventKind,
    RadarFramesSeen,
    RadarTracksSeen,
)
from qiki.contracts.topics import Topic
from qiki.runtime.clock import now
from qiki.runtime.service import Service
from registrar.reader import StreamReader, stored_at
from registrar.registry import Registry
from registrar.settings import RegistrarSettings


@dataclass(frozen=True)
class Traffic:
    """What is counted on one topic.

    Attributes:
        count: of a message's JSON value
        payload: what a second of it says
    """

    topic: Topic
    kind: EventKind
    count: Callable[[Any], int]
    payload: Callable[..., RadarFramesSeen | RadarTracksSeen]


def _frames_seen(amount: int, **counts: Any) -> RadarFramesSeen:
    return RadarFramesSeen(detections=amount, **counts)


def _tracks_seen(amount: int, **counts: Any) -> RadarTracksSeen:
    return RadarTracksSeen(tracks=amount, **counts)


TRAFFIC = (
    Traffic(topics.FRAMES, RADAR_FRAMES_SEEN, lambda frame: len(frame["detections"]), _frames_seen),
    Traffic(topics.TRACKED, RADAR_TRACKS_SEEN, lambda tracked: int(tracked["tracks"]), _tracks_seen),
)


async def summarise(
    service: Service[RegistrarSettings],
    jetstream: JetStreamContext,
    registry: Registry,
    traffic: Traffic,
    last: dict[str, Any],
) -> None:
    """Read on behind the last summary that is on record, until the service stops.

    Args:
        service: whose life it is
        jetstream: where the topic is kept
        registry: where the summaries go
        traffic: which topic
        last: payload of the last summary; empty where there is none
    """
    place = (str(last.get("stream_created", "")), int(last.get("last_sequence", 0)))
    reader = StreamReader(jetstream, str(traffic.topic.stream), traffic.topic.subject, *place)
    seconds = Seconds()
    created = reader.created
    while not service.stopping.is_set():
        messages = await reader.batch()
        if reader.created != created:
            created = reader.created
            seconds = Seconds()
        ended = [second for message in messages if (second := seconds.take(counted(message, traffic))) is not None]
        if not messages and (last_one := seconds.over(now())) is not None:
            ended.append(last_one)
        await registry.register(map(partial(draft_of, traffic, created), ended))


def counted(message: Msg, traffic: Traffic) -> Counted:
    """What a message adds."""
    try:
        amount = traffic.count(from_json(message.data))
    except (ValueError, LookupError, TypeError):
        amount = None
    return Counted(message.metadata.sequence.stream, stored_at(message), amount)


def draft_of(traffic: Traffic, created: str, second: Second) -> Draft:
    """A second's record."""
    payload = traffic.payload(
        second.amount,
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
