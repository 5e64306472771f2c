"""Lag of the readers of streams: a metric for each durable, an event for our own.

A question without an answer is an error and no value: a zero would look like a consumer without lag.
"""

import asyncio
import contextlib
from dataclasses import dataclass

import nats.errors
from nats.js import JetStreamContext
from nats.js.api import ConsumerInfo
from nats.js.errors import NotFoundError
from prometheus_client import Counter, Gauge

from faststream_bridge.pipeline import Pipeline
from faststream_bridge.settings import BridgeSettings
from faststream_bridge.stream import Position, check_followed
from qiki.contracts import topics
from qiki.contracts.events import LAG_CLEARED, LAG_PASSED, Lag
from qiki.runtime.clock import now
from qiki.runtime.service import Service
from qiki.runtime.tasks import end_if_cancelled

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
    """Lag of one durable at one moment."""

    stream: str
    consumer: str
    pending: int
    ack_pending: int
    redelivered: int
    oldest_s: float


async def lag_of(jetstream: JetStreamContext, stream: str, info: ConsumerInfo) -> ConsumerLag:
    """Return the lag of a durable; the oldest message is the first behind the acknowledged ones."""
    counts = info.num_pending or 0, info.num_ack_pending or 0, info.num_redelivered or 0
    oldest_s = 0.0
    if info.num_pending or info.num_ack_pending:
        floor = info.ack_floor.stream_seq if info.ack_floor else 0
        with contextlib.suppress(NotFoundError):  # acknowledged, or aged away, between the two questions
            message = await jetstream.get_msg(stream, seq=floor + 1, subject=info.config.filter_subject, next=True)
            oldest_s = max(0.0, (now() - message.time).total_seconds()) if message.time else 0.0
    return ConsumerLag(stream, str(info.config.durable_name), *counts, oldest_s)


class LagMonitor:
    """Asks at an interval, sets the metrics, and raises an event when a consumer of ours is late or is back."""

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
        """Ask until cancelled; raise StreamChangedError if stream or durable are not those of the pipeline any more."""
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
        durables = {
            (str(stream.config.name), info.config.durable_name): info
            for stream in streams
            for info in await self._jetstream.consumers_info(str(stream.config.name))
            if info.config.durable_name
        }
        end_if_cancelled()
        check_followed(self._where, sequence, streams, durables)
        self.show([await lag_of(self._jetstream, stream, info) for (stream, _), info in durables.items()])
        ASKED.set_to_current_time()

    def show(self, found: list[ConsumerLag]) -> None:
        """Set the metrics to these lags, remove all others, and raise the events."""
        keys = {(lag.stream, lag.consumer) for lag in found}
        for gone in self._known - keys:
            for gauge in GAUGES.values():
                gauge.remove(*gone)
        self._known = keys
        for lag in found:
            for name, gauge in GAUGES.items():
                gauge.labels(lag.stream, lag.consumer).set(getattr(lag, name))
            if lag.consumer in OURS:
                self._judge(lag)

    def _judge(self, lag: ConsumerLag) -> None:
        threshold_s = self._service.settings.radar_lag_threshold_sec
        late = lag.oldest_s > threshold_s
        if late == (lag.consumer in self._late):
            return
        (self._late.add if late else self._late.discard)(lag.consumer)
        body = Lag(
            source=self._service.name,
            ts_epoch=now().timestamp(),
            stream=lag.stream,
            consumer=lag.consumer,
            pending=lag.pending + lag.ack_pending,
            oldest_s=lag.oldest_s,
            threshold_s=threshold_s,
        )
        self._service.events.emit(LAG_PASSED if late else LAG_CLEARED, body)
