"""The lag of the streams' readers: of every durable as metrics, of our own as events too.

A question without an answer is an error and no value: a zero would look like a reader without lag.
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import nats.errors
from nats.js import JetStreamContext
from nats.js.api import ConsumerInfo, StreamInfo
from nats.js.errors import NotFoundError
from prometheus_client import Counter, Gauge

from faststream_bridge.pipeline import Pipeline
from faststream_bridge.settings import BridgeSettings
from faststream_bridge.stream_identity import check_followed
from faststream_bridge.stream_position import Position
from qiki.contracts import topics
from qiki.contracts.events import LAG_CLEARED, LAG_PASSED, Lag
from qiki.runtime.cancellation import end_if_cancelled
from qiki.runtime.clock import now
from qiki.runtime.service import Service

OURS = {topics.FRAMES_DURABLE, topics.REGISTRAR_DURABLE}
LABELS = ("stream", "consumer")
GAUGES = {
    "pending": Gauge("qiki_jetstream_consumer_lag", "Messages not delivered yet", LABELS),
    "ack_pending": Gauge("qiki_jetstream_consumer_ack_pending", "Messages delivered and not acknowledged", LABELS),
    "redelivered": Gauge(
        "qiki_jetstream_consumer_redelivered", "Messages delivered more than once and still open", LABELS
    ),
    "oldest_s": Gauge("qiki_jetstream_consumer_oldest_seconds", "Age of the oldest message not acknowledged", LABELS),
}
ASKED = Gauge("qiki_jetstream_lag_asked_timestamp_seconds", "When the readers were last asked about, Unix time")
ERRORS = Counter("qiki_jetstream_lag_errors_total", "Questions about readers that were not answered")


@dataclass(frozen=True)
class ConsumerLag:
    """One durable at one moment."""

    stream: str
    consumer: str
    pending: int
    ack_pending: int
    redelivered: int
    oldest_s: float


Durables = Mapping[tuple[str, str], ConsumerInfo]


async def durables_of(jetstream: JetStreamContext, streams: Iterable[StreamInfo]) -> Durables:
    """Return every durable, by stream and name.

    Raises:
        nats.errors.Error: the server does not answer.
    """
    return {
        (str(stream.config.name), info.config.durable_name): info
        for stream in streams
        for info in await jetstream.consumers_info(str(stream.config.name))
        if info.config.durable_name
    }


async def readings(jetstream: JetStreamContext, durables: Durables) -> list[ConsumerLag]:
    """Return the lag of each.

    Raises:
        nats.errors.Error: the server does not answer.
    """
    return [
        ConsumerLag(
            stream,
            name,
            info.num_pending or 0,
            info.num_ack_pending or 0,
            info.num_redelivered or 0,
            await _oldest_s(jetstream, stream, info),
        )
        for (stream, name), info in durables.items()
    ]


async def _oldest_s(jetstream: JetStreamContext, stream: str, info: ConsumerInfo) -> float:
    """Return the age of the first message behind the acknowledged ones."""
    if not info.num_pending and not info.num_ack_pending:
        return 0.0
    floor = info.ack_floor.stream_seq if info.ack_floor else 0
    try:
        message = await jetstream.get_msg(stream, seq=floor + 1, subject=info.config.filter_subject, next=True)
    except NotFoundError:  # acknowledged, or aged away, between the two questions
        return 0.0
    return max(0.0, (now() - message.time).total_seconds()) if message.time else 0.0


class LagMonitor:
    """Asks at an interval, sets the metrics, and raises an event when a reader of ours passes the threshold or is back.

    Args:
        where: the stream and the durable that the pipeline follows
        pipeline: what it has handled must still be there
    """

    def __init__(
        self, service: Service[BridgeSettings], jetstream: JetStreamContext, where: Position, pipeline: Pipeline
    ) -> None:
        self._service = service
        self._jetstream = jetstream
        self._where = where
        self._pipeline = pipeline
        self._late: set[str] = set()
        self._known: set[tuple[str, str]] = set()

    async def run(self) -> None:
        """Ask for ever.

        Raises:
            StreamChangedError: the stream or the durable is no longer the one that the pipeline follows.
        """
        while True:
            try:
                await self._ask()
            except nats.errors.Error as error:
                ERRORS.inc()
                self.show([])
                self._service.log.warning("readers not asked", reason=repr(error))
            end_if_cancelled()
            await asyncio.sleep(self._service.settings.radar_lag_monitor_interval_sec)

    async def _ask(self) -> None:
        sequence = self._pipeline.sequence  # of now: the answer knows nothing of what is stored after it
        streams = await self._jetstream.streams_info()
        durables = await durables_of(self._jetstream, streams)
        end_if_cancelled()
        check_followed(self._where, sequence, streams, durables)
        self.show(await readings(self._jetstream, durables))
        ASKED.set_to_current_time()

    def show(self, found: list[ConsumerLag]) -> None:
        """Set the metrics to these readings, remove all others, and raise the events."""
        keys = {(reading.stream, reading.consumer) for reading in found}
        for gone in self._known - keys:
            for gauge in GAUGES.values():
                gauge.remove(*gone)
        self._known = keys
        for reading in found:
            for name, gauge in GAUGES.items():
                gauge.labels(reading.stream, reading.consumer).set(getattr(reading, name))
            if reading.consumer in OURS:
                self._judge(reading)

    def _judge(self, reading: ConsumerLag) -> None:
        threshold_s = self._service.settings.radar_lag_threshold_sec
        late = reading.oldest_s > threshold_s
        if late == (reading.consumer in self._late):
            return
        (self._late.add if late else self._late.discard)(reading.consumer)
        body = Lag(
            source=self._service.name,
            ts_epoch=now().timestamp(),
            stream=reading.stream,
            consumer=reading.consumer,
            pending=reading.pending + reading.ack_pending,
            oldest_s=reading.oldest_s,
            threshold_s=threshold_s,
        )
        self._service.events.emit(LAG_PASSED if late else LAG_CLEARED, body)
