"""Reading the radar stream by sequence: what a dead reader held comes back only after the ack wait, out of order."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import nats.errors
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError

from faststream_bridge.frames import Delivery
from qiki.contracts import topics
from qiki.contracts.headers import SEQUENCE
from qiki.runtime.service import S, Service

RETRY_S = 0.1
PRECISION = timedelta(milliseconds=1)
"""The same moment reads a little differently by the roads that a message may come; a broker's start takes longer."""


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


async def position(service: Service[S], jetstream: JetStreamContext) -> Position | None:
    """Ask until the streams and the durable are there; None when the service is told to stop first."""
    service.health.wait_for("stream", f"{topics.QIKI_RADAR_V1} and {topics.FRAMES_DURABLE} are not there yet")
    while not service.stopping.is_set():
        try:
            found = await _ask(jetstream)
        except (nats.errors.Error, NotFoundError):
            await asyncio.sleep(RETRY_S)
        else:
            service.health.met("stream")
            return found
    return None


async def _ask(jetstream: JetStreamContext) -> Position:
    stream = await jetstream.stream_info(topics.QIKI_RADAR_V1)
    durable = await jetstream.consumer_info(topics.QIKI_RADAR_V1, topics.FRAMES_DURABLE)
    await jetstream.stream_info(topics.QIKI_TRACKER_V1)
    announced = 0
    try:
        newest = await jetstream.get_last_msg(topics.QIKI_TRACKER_V1, topics.TRACKED.subject)
        if newest.time and stream.created and newest.time >= stream.created:  # else it tells of an earlier stream
            announced = await _announced(jetstream, int((newest.headers or {}).get(SEQUENCE, 0)), newest.time)
    except NotFoundError:
        pass
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


async def _announced(jetstream: JetStreamContext, sequence: int, said: datetime) -> int:
    """The sequence, unless the frame there is younger than what was said of it: the broker lost the one that was."""
    try:
        frame = await jetstream.get_msg(topics.QIKI_RADAR_V1, seq=sequence) if sequence else None
    except NotFoundError:  # aged away, or beyond the stream's end
        return sequence
    return 0 if frame and frame.time and frame.time > said + PRECISION else sequence


class StoredFrames:
    """The frames of the radar stream, by sequence."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._jetstream = client.jetstream()

    async def between(self, first: int, last: int) -> AsyncIterator[Delivery]:
        """Those stored from `first` to `last`, both included, in order; waits for a broker that is away."""
        sequence = first
        while sequence <= last:
            try:
                message = await self._jetstream.get_msg(
                    topics.QIKI_RADAR_V1, seq=sequence, subject=topics.FRAMES.subject, direct=True, next=True
                )
            except NotFoundError:
                return
            except nats.errors.Error:
                await asyncio.sleep(RETRY_S)
                continue
            if message.seq is None or message.seq > last:
                return
            sequence = message.seq
            acknowledge = partial(self._acknowledge, sequence)
            yield Delivery(sequence, message.data or b"", message.headers, acknowledge, message.time)
            sequence += 1

    async def when(self, sequence: int) -> datetime | None:
        """When the frame at `sequence` was stored; None where there is none."""
        async for delivery in self.between(sequence, sequence):
            return delivery.stored
        return None

    async def _acknowledge(self, sequence: int) -> None:
        """Acknowledge what was delivered to somebody who died with it.

        Else it would count as pending until the ack wait is over, and a few deaths in a row would fill the
        durable's limit of pending messages. Of the reply subject of a delivery (ADR-15) only the stream
        sequence matters for an explicit acknowledgement; what is not pending, the server ignores.
        """
        reply = f"$JS.ACK.{topics.QIKI_RADAR_V1}.{topics.FRAMES_DURABLE}.1.{sequence}.1.1.0"
        await self._client.publish(reply, b"+ACK")
