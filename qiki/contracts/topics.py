"""The table of topics. Streams, documents and staleness are derived from it.

A reader calls a topic stale when nothing came for `STALE_AFTER` periods of its nominal rate.
"""

from dataclasses import dataclass

from qiki.contracts.audit import AuditRecord
from qiki.contracts.models import (
    CommandMessage,
    ControlAck,
    GuardAlert,
    Payload,
    RadarFrame,
    RadarTrack,
    TelemetrySnapshot,
    TrackedFrame,
    TruthSnapshot,
)

STALE_AFTER = 5.0

QIKI_RADAR_V1 = "QIKI_RADAR_V1"
QIKI_EVENTS_V1 = "QIKI_EVENTS_V1"
QIKI_TRACKER_V1 = "QIKI_TRACKER_V1"
QIKI_DLQ_V1 = "QIKI_DLQ_V1"


@dataclass(frozen=True)
class Topic:
    """One subject.

    Attributes:
        rate_hz: nominal rate, in simulated time for what follows the frames; None for what comes when it happens.
        stream: where it is kept; None for what is not.
        recorded: whether a recording takes it by default.
    """

    subject: str
    model: type[Payload] | None
    publisher: str
    about: str
    rate_hz: float | None = None
    stream: str | None = None
    recorded: bool = False

    @property
    def stale_after_s(self) -> float | None:
        """Silence that means a dead input; None where silence means nothing."""
        return None if self.rate_hz is None else STALE_AFTER / self.rate_hz


FRAMES = Topic("qiki.radar.v1.frames", RadarFrame, "q-sim-radar", "all detections of a scan", 10.0, QIKI_RADAR_V1)
FRAMES_LR = Topic(
    "qiki.radar.v1.frames.lr",
    RadarFrame,
    "q-sim-radar",
    "its long-range detections: no identity in them",
    10.0,
    QIKI_RADAR_V1,
)
FRAMES_SR = Topic(
    "qiki.radar.v1.tracks.sr",
    RadarFrame,
    "q-sim-radar",
    "its short-range detections, with transponder identity (a frame, in spite of the name)",
    10.0,
    QIKI_RADAR_V1,
)
TRACKS = Topic(
    "qiki.radar.v1.tracks",
    RadarTrack,
    "faststream-bridge",
    "one message a track and frame",
    10.0,
    QIKI_RADAR_V1,
    recorded=True,
)
TRACKED = Topic(
    "qiki.tracker.v1.frames",
    TrackedFrame,
    "faststream-bridge",
    "a frame's tracks are stored",
    10.0,
    QIKI_TRACKER_V1,
)
GUARD = Topic(
    "qiki.events.v1.radar.guard",
    GuardAlert,
    "faststream-bridge",
    "a track met a guard rule",
    stream=QIKI_EVENTS_V1,
    recorded=True,
)
EVENTS = Topic("qiki.events.v1.>", None, "all", "everything that happened", stream=QIKI_EVENTS_V1, recorded=True)
AUDIT = Topic("qiki.events.v1.audit", AuditRecord, "registrar", "audit records", stream=QIKI_EVENTS_V1)
TELEMETRY = Topic("qiki.telemetry", TelemetrySnapshot, "q-sim-service", "the bot's own state", 1.0, recorded=True)
COMMANDS = Topic("qiki.commands.control", CommandMessage, "anyone allowed", "commands to the simulator")
RESPONSES = Topic("qiki.responses.control", ControlAck, "q-sim-service", "one acknowledgement a command", recorded=True)
TRUTH = Topic(
    "qiki.truth.v1.contacts",
    TruthSnapshot,
    "q-sim-service",
    "what is really there, for scoring and tests",
    10.0,
)
DEAD_LETTERS = Topic("qiki.dlq.v1.>", None, "whoever could not read it", "the bytes as they came", stream=QIKI_DLQ_V1)

TOPICS = (
    FRAMES,
    FRAMES_LR,
    FRAMES_SR,
    TRACKS,
    TRACKED,
    GUARD,
    AUDIT,
    EVENTS,
    TELEMETRY,
    COMMANDS,
    RESPONSES,
    TRUTH,
    DEAD_LETTERS,
)

FRAMES_DURABLE = "radar_frames_pull"
TRACKS_DURABLE = "radar_tracks_pull"
AUDIT_DURABLE = "events_audit_pull"
REGISTRAR_DURABLE = "registrar_events_pull"


def dead_letter_subject(origin: str) -> str:
    """Where a message from `origin` goes that nobody could read."""
    return f"qiki.dlq.v1.{origin}"
