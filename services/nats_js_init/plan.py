"""What must exist in JetStream, from the table of topics."""

from dataclasses import dataclass
from typing import Any

from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy, DiscardPolicy, ReplayPolicy, StorageType, StreamConfig

from nats_js_init.settings import InitSettings
from qiki.contracts.topics import STREAMS, TOPICS, Durable, Stream, Topic


@dataclass(frozen=True)
class StreamPlan:
    """A stream and the durable consumers that read it."""

    config: StreamConfig
    consumers: tuple[ConsumerConfig, ...] = ()


def plan(settings: InitSettings) -> tuple[StreamPlan, ...]:
    """Streams and consumers of the contract, sized by the settings."""
    return tuple(
        StreamPlan(
            _stream(stream, settings),
            tuple(
                _consumer(topic, durable, stream, settings)
                for topic in TOPICS
                if topic.stream == stream.name
                for durable in topic.durables
            ),
        )
        for stream in STREAMS
    )


def _stream(stream: Stream, settings: InitSettings) -> StreamConfig:
    return StreamConfig(
        name=stream.name,
        subjects=[stream.subjects],
        storage=StorageType.FILE,
        discard=DiscardPolicy.OLD,
        max_bytes=_sized(settings, stream, "max_bytes", stream.max_bytes),
        max_age=_sized(settings, stream, "max_age_sec", stream.max_age_s),
        duplicate_window=_sized(settings, stream, "duplicate_window_sec", stream.duplicate_window_s),
        allow_direct=True,
    )


def _consumer(topic: Topic, durable: Durable, stream: Stream, settings: InitSettings) -> ConsumerConfig:
    ack_wait_s = _sized(settings, stream, "consumer_ack_wait_sec")
    max_deliver = _sized(settings, stream, "consumer_max_deliver")
    return ConsumerConfig(
        durable_name=durable.name,
        filter_subject=topic.subject,
        ack_policy=AckPolicy.EXPLICIT,
        deliver_policy=DeliverPolicy.ALL,
        replay_policy=ReplayPolicy.INSTANT,
        ack_wait=ack_wait_s if durable.ack_wait_s is None else durable.ack_wait_s,
        max_deliver=max_deliver if durable.max_deliver is None else durable.max_deliver,
        max_ack_pending=_sized(settings, stream, "consumer_max_ack_pending"),
        deliver_subject="",  # pull
    )


def _sized(settings: InitSettings, stream: Stream, name: str, default: float | None = None) -> Any:
    """The setting of this stream, where it has settings."""
    return getattr(settings, f"{stream.settings}_{name}") if stream.settings else default
