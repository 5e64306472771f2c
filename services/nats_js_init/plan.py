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
    """Return the streams and consumers of the contract, sized by the settings."""
    return tuple(_plan(settings.sized(stream)) for stream in STREAMS)


def _plan(stream: Stream) -> StreamPlan:
    readers = ((topic, durable) for topic in TOPICS if topic.stream == stream.name for durable in topic.durables)
    return StreamPlan(_stream(stream), tuple(_consumer(topic, durable, stream) for topic, durable in readers))


def _stream(stream: Stream) -> StreamConfig:
    return StreamConfig(
        name=stream.name,
        subjects=[stream.subjects],
        storage=StorageType.FILE,
        discard=DiscardPolicy.OLD,
        max_bytes=stream.max_bytes,
        max_age=stream.max_age_s,
        duplicate_window=stream.duplicate_window_s,
        allow_direct=True,
    )


def _consumer(topic: Topic[Any], durable: Durable, stream: Stream) -> ConsumerConfig:
    return ConsumerConfig(
        durable_name=durable.name,
        filter_subject=topic.subject,
        ack_policy=AckPolicy.EXPLICIT,
        deliver_policy=DeliverPolicy.ALL,
        replay_policy=ReplayPolicy.INSTANT,
        ack_wait=stream.ack_wait_s if durable.ack_wait_s is None else durable.ack_wait_s,
        max_deliver=stream.max_deliver if durable.max_deliver is None else durable.max_deliver,
        max_ack_pending=stream.max_ack_pending,
        deliver_subject="",  # pull
    )
