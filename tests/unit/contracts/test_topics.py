"""The table of topics against the contract's tables of subjects and streams, written out here once more."""

import pytest

from qiki.contracts import topics
from qiki.contracts.fields import Payload
from qiki.contracts.identities import SERVICES

SUBJECTS = {
    "qiki.radar.v1.frames": ("RadarFrame", ("q-sim-radar",), "QIKI_RADAR_V1"),
    "qiki.radar.v1.frames.lr": ("RadarFrame", ("q-sim-radar",), "QIKI_RADAR_V1"),
    "qiki.radar.v1.tracks.sr": ("RadarFrame", ("q-sim-radar",), "QIKI_RADAR_V1"),
    "qiki.radar.v1.tracks": ("RadarTrack", ("faststream-bridge",), "QIKI_RADAR_V1"),
    "qiki.events.v1.>": (None, SERVICES, "QIKI_EVENTS_V1"),
    "qiki.events.v1.audit": ("AuditRecord", ("registrar",), "QIKI_EVENTS_V1"),
    "qiki.anchor.v1.audit": ("AuditAnchor", ("registrar",), "QIKI_ANCHOR_V1"),
    "qiki.events.v1.radar.guard": ("GuardAlert", ("faststream-bridge",), "QIKI_EVENTS_V1"),
    "qiki.telemetry": ("TelemetrySnapshot", ("q-sim-service",), "QIKI_STATE_V1"),
    "qiki.requests.telemetry": (None, ("qiki-dev", "operator"), None),
    "qiki.commands.control": ("CommandMessage", ("operator",), None),
    "qiki.responses.control": ("ControlAck", ("q-sim-service",), None),
    "qiki.tracker.v1.frames": ("TrackedFrame", ("faststream-bridge",), "QIKI_TRACKER_V1"),
    "qiki.estimates.v1.tracks": ("TrackEstimates", ("faststream-bridge",), "QIKI_ESTIMATES_V1"),
    "qiki.truth.v1.contacts": ("TruthSnapshot", ("q-sim-service",), None),
    "qiki.agent.v1.state": ("AgentState", ("qiki-dev",), "QIKI_STATE_V1"),
    "qiki.sim.v1.runs": ("SimRun", ("q-sim-service",), "QIKI_STATE_V1"),
    "qiki.sim.v1.orders": ("SimOrder", ("q-sim-service",), "QIKI_STATE_V1"),
    "qiki.health.v1.>": (
        "ServiceHealth",
        ("q-sim-service", "q-sim-radar", "faststream-bridge", "registrar", "qiki-dev", "operator-console"),
        "QIKI_STATE_V1",
    ),
    "qiki.dlq.v1.>": (None, ("faststream-bridge", "registrar"), "QIKI_DLQ_V1"),
}


def test_subjects_payloads_publishers_and_streams_are_the_contracts():
    table = {one.subject: (one.model and one.model.__name__, one.writers, one.stream) for one in topics.TOPICS}
    assert table == SUBJECTS
    assert len(topics.TOPICS) == len(SUBJECTS)


@pytest.mark.parametrize(
    ("topic", "silence_s"), [(topics.FRAMES, 0.5), (topics.TRUTH, 0.5), (topics.TELEMETRY, 5.0), (topics.GUARD, None)]
)
def test_silence_means_a_dead_input_where_a_rate_is_declared(topic: topics.Topic[Payload], silence_s: float | None):
    assert topic.stale_after_s == silence_s


def test_dead_letters_keep_the_subject_that_they_came_from():
    assert topics.dead_letter_subject("qiki.radar.v1.frames") == "qiki.dlq.v1.qiki.radar.v1.frames"


@pytest.mark.parametrize(
    ("origin", "kept"),
    [
        ("a." + "x" * 4000, "a." + "x" * 1022),
        ("y." * 2000 + "y", ("y." * 512).removesuffix(".")),
        ("é" * 2000, "é" * 512),
        ("a" + "é" * 2000, "a" + "é" * 511),
        ("a.*.b*.>", "a._.b*._"),
    ],
)
def test_dead_letters_can_be_published_whatever_subject_they_came_from(origin: str, kept: str):
    """The server's line ends after 4,096 bytes, and nobody may publish to a wildcard or to an empty token."""
    assert topics.dead_letter_subject(origin) == f"qiki.dlq.v1.{kept}"


def test_a_topic_covers_its_subject_or_those_below_it():
    assert topics.TRACKS.covers("qiki.radar.v1.tracks")
    assert not topics.TRACKS.covers("qiki.radar.v1.tracks.sr")
    assert topics.EVENTS.covers("qiki.events.v1.radar.guard")
    assert not topics.EVENTS.covers("qiki.events.v2.radar.guard")


def test_each_writer_of_a_topic_of_their_own_has_a_subject():
    assert topics.HEALTH.subject_of("registrar") == "qiki.health.v1.registrar"
    assert topics.TELEMETRY.subject_of("q-sim-service") == "qiki.telemetry"


def test_the_names_of_messages_differ():
    """Failed waits count messages by them."""
    assert len({topic.noun for topic in topics.TOPICS}) == len(topics.TOPICS)
