"""The plan against the contract's table of streams and consumers, written out here once more."""

from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy, DiscardPolicy, PersistMode, ReplayPolicy, StorageType

from nats_js_init.settings import InitSettings
from nats_js_init.streams import StreamPlan, plan
from qiki.contracts import topics
from qiki.contracts.topics import Durability

DAY_S = 86_400
STREAMS = {
    "QIKI_RADAR_V1": (["qiki.radar.v1.>"], 120, 3600, 2**30),
    "QIKI_EVENTS_V1": (["qiki.events.v1.>"], 120, 7 * DAY_S, 2**30),
    "QIKI_TRACKER_V1": (["qiki.tracker.v1.>"], 120, 3600, 64 * 2**20),
    "QIKI_DLQ_V1": (["qiki.dlq.v1.>"], 120, 7 * DAY_S, 256 * 2**20),
    "QIKI_STATE_V1": (
        ["qiki.telemetry", "qiki.agent.v1.>", "qiki.sim.v1.>", "qiki.health.v1.>"],
        120,
        3600,
        256 * 2**20,
    ),
    "QIKI_ESTIMATES_V1": (["qiki.estimates.v1.>"], 120, 600, 256 * 2**20),
    "QIKI_ANCHOR_V1": (["qiki.anchor.v1.>"], 120, 0, 16 * 2**20),
}
SYNCED = {"QIKI_ANCHOR_V1", "QIKI_EVENTS_V1", "QIKI_DLQ_V1"}
DURABLES = {
    ("QIKI_RADAR_V1", "radar_frames_pull"): ("qiki.radar.v1.frames", 45, 7, 512),
    ("QIKI_RADAR_V1", "radar_tracks_pull"): ("qiki.radar.v1.tracks", 45, 7, 512),
    ("QIKI_EVENTS_V1", "events_audit_pull"): ("qiki.events.v1.audit", 45, 7, 512),
    ("QIKI_EVENTS_V1", "registrar_events_pull"): ("qiki.events.v1.>", 5, -1, 512),
}


def streams(plans: tuple[StreamPlan, ...]) -> dict[str, object]:
    return {
        str(one.config.name): (
            one.config.subjects,
            one.config.duplicate_window,
            one.config.max_age,
            one.config.max_bytes,
        )
        for one in plans
    }


def durables(plans: tuple[StreamPlan, ...]) -> dict[tuple[str, str], ConsumerConfig]:
    return {(str(one.config.name), str(config.durable_name)): config for one in plans for config in one.consumers}


def test_streams_are_the_contracts():
    plans = plan(InitSettings())
    assert streams(plans) == STREAMS
    assert {one.config.storage for one in plans} == {StorageType.FILE}
    assert {one.config.discard for one in plans} == {DiscardPolicy.OLD}
    denied = {str(one.config.name) for one in plans if one.config.deny_purge and one.config.deny_delete}
    assert denied == {"QIKI_ANCHOR_V1"}


def test_a_stream_is_planned_as_its_durability_says():
    """Without a mode the server syncs each message; `async`: it acknowledges first, and its watcher syncs."""
    modes = {str(one.config.name): one.config.persist_mode for one in plan(InitSettings())}
    assert {name for name, mode in modes.items() if mode is PersistMode.DEFAULT} == SYNCED
    assert {name for name, mode in modes.items() if mode is PersistMode.ASYNC} == STREAMS.keys() - SYNCED
    assert {one.name for one in topics.STREAMS if one.durability is Durability.POWER} == SYNCED
    assert {one.name for one in topics.STREAMS if one.durability is Durability.PROCESS} == STREAMS.keys() - SYNCED


def test_a_topic_has_the_durability_of_its_stream():
    assert topics.GUARD.durability is topics.EVENTS.durability is topics.DEAD_LETTERS.durability is Durability.POWER
    assert topics.FRAMES.durability is topics.TRACKED.durability is topics.ESTIMATES.durability is Durability.PROCESS
    assert topics.COMMANDS.durability is topics.TRUTH.durability is Durability.NONE


def test_durables_are_the_contracts():
    found = durables(plan(InitSettings()))
    assert {
        key: (one.filter_subject, one.ack_wait, one.max_deliver, one.max_ack_pending) for key, one in found.items()
    } == DURABLES
    for one in found.values():
        assert (one.ack_policy, one.deliver_policy) == (AckPolicy.EXPLICIT, DeliverPolicy.ALL)
        assert (one.replay_policy, one.deliver_subject) == (ReplayPolicy.INSTANT, "")


def test_sizes_and_times_come_from_the_settings():
    settings = InitSettings(
        radar_max_bytes=1 << 20, radar_max_age_sec=2, radar_duplicate_window_sec=1.5, radar_consumer_ack_wait_sec=4,
        radar_consumer_max_deliver=5, radar_consumer_max_ack_pending=6, events_max_bytes=7 << 20, events_max_age_sec=8,
        events_duplicate_window_sec=7.5, events_consumer_ack_wait_sec=10, events_consumer_max_deliver=11,
        events_consumer_max_ack_pending=12,
    )  # fmt: skip
    plans = plan(settings)
    assert streams(plans) == STREAMS | {
        "QIKI_RADAR_V1": (["qiki.radar.v1.>"], 1.5, 2, 1 << 20),
        "QIKI_EVENTS_V1": (["qiki.events.v1.>"], 7.5, 8, 7 << 20),
    }
    numbers = {name: (one.ack_wait, one.max_deliver, one.max_ack_pending) for (_, name), one in durables(plans).items()}
    assert numbers == {
        "radar_frames_pull": (4, 5, 6),
        "radar_tracks_pull": (4, 5, 6),
        "events_audit_pull": (10, 11, 12),
        "registrar_events_pull": (5, -1, 12),
    }
