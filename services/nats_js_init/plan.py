"""What must exist in JetStream, as data."""

from dataclasses import dataclass

from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy, DiscardPolicy, ReplayPolicy, StorageType, StreamConfig

from nats_js_init.settings import InitSettings
from qiki.contracts import topics

MIB = 1 << 20
HOUR_S = 3600.0
REGISTRAR_ACK_WAIT_S = 5.0


@dataclass(frozen=True)
class StreamPlan:
    """A stream and the durable consumers that read it."""

    config: StreamConfig
    consumers: tuple[ConsumerConfig, ...] = ()


def plan(settings: InitSettings) -> tuple[StreamPlan, ...]:
    """Streams and consumers of the contract, sized by the settings."""
    radar = (topics.FRAMES_DURABLE, topics.FRAMES.subject), (topics.TRACKS_DURABLE, topics.TRACKS.subject)
    return (
        StreamPlan(
            _stream(
                topics.QIKI_RADAR_V1,
                "qiki.radar.v1.>",
                settings.radar_max_bytes,
                settings.radar_max_age_sec,
                settings.radar_duplicate_window_sec,
            ),
            tuple(
                _durable(
                    name,
                    subject,
                    settings.radar_consumer_ack_wait_sec,
                    settings.radar_consumer_max_deliver,
                    settings.radar_consumer_max_ack_pending,
                )
                for name, subject in radar
            ),
        ),
        StreamPlan(
            _stream(
                topics.QIKI_EVENTS_V1,
                "qiki.events.v1.>",
                settings.events_max_bytes,
                settings.events_max_age_sec,
                settings.events_duplicate_window_sec,
            ),
            (
                _durable(
                    topics.AUDIT_DURABLE,
                    topics.AUDIT.subject,
                    settings.events_consumer_ack_wait_sec,
                    settings.events_consumer_max_deliver,
                    settings.events_consumer_max_ack_pending,
                ),
                # The registrar must get every event in the end, however often it fails.
                _durable(
                    topics.REGISTRAR_DURABLE,
                    topics.EVENTS.subject,
                    REGISTRAR_ACK_WAIT_S,
                    -1,
                    settings.events_consumer_max_ack_pending,
                ),
            ),
        ),
        StreamPlan(_stream(topics.QIKI_TRACKER_V1, "qiki.tracker.v1.>", 64 * MIB, HOUR_S, 120)),
        StreamPlan(_stream(topics.QIKI_DLQ_V1, "qiki.dlq.v1.>", 256 * MIB, 7 * 24 * HOUR_S, 120)),
    )


def _stream(name: str, subjects: str, max_bytes: int, max_age_s: float, duplicate_window_s: float) -> StreamConfig:
    return StreamConfig(
        name=name,
        subjects=[subjects],
        storage=StorageType.FILE,
        discard=DiscardPolicy.OLD,
        max_bytes=max_bytes,
        max_age=max_age_s,
        duplicate_window=duplicate_window_s,
        allow_direct=True,
    )


def _durable(name: str, subject: str, ack_wait_s: float, max_deliver: int, max_ack_pending: int) -> ConsumerConfig:
    return ConsumerConfig(
        durable_name=name,
        deliver_subject="",  # pull
        filter_subject=subject,
        ack_policy=AckPolicy.EXPLICIT,
        deliver_policy=DeliverPolicy.ALL,
        replay_policy=ReplayPolicy.INSTANT,
        ack_wait=ack_wait_s,
        max_deliver=max_deliver,
        max_ack_pending=max_ack_pending,
    )
