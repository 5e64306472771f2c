"""The table of topics and the table of streams with their sizes; documents, staleness and the twin's histories follow.

A new topic is its row here and its model: nothing else lists the topics again.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Any, Generic, TypeVar

from qiki.contracts.agent import AgentState
from qiki.contracts.audit import AuditAnchor, AuditRecord
from qiki.contracts.control import CommandMessage, ControlAck
from qiki.contracts.enums import RadarRangeBand
from qiki.contracts.estimates import TrackEstimates
from qiki.contracts.health import ServiceHealth
from qiki.contracts.identities import AGENT, BRIDGE, CONSOLE, OPERATOR, RADAR, REGISTRAR, SERVICES, SIMULATOR
from qiki.contracts.radar import GuardAlert, RadarFrame, RadarTrack, TrackedFrame
from qiki.contracts.sim import SimOrder, SimRun
from qiki.contracts.telemetry import TelemetrySnapshot, TruthSnapshot

P = TypeVar("P")

STALE_AFTER = 5.0  # periods of its nominal rate without a message, after which a topic is stale
MAX_ORIGIN_BYTES = 1024

QIKI_RADAR_V1 = "QIKI_RADAR_V1"
QIKI_EVENTS_V1 = "QIKI_EVENTS_V1"
QIKI_TRACKER_V1 = "QIKI_TRACKER_V1"
QIKI_DLQ_V1 = "QIKI_DLQ_V1"
QIKI_ESTIMATES_V1 = "QIKI_ESTIMATES_V1"
QIKI_ANCHOR_V1 = "QIKI_ANCHOR_V1"
QIKI_STATE_V1 = "QIKI_STATE_V1"


class Durability(Enum):
    """The promise of an acknowledgement: what the message survives, and what may be lost at most."""

    NONE = "nothing: it is not kept"
    PROCESS = "killed services; a killed broker or a power failure takes the last second at most"
    POWER = "killed services, a killed broker, a power failure"


LAST_S = 1.0  # time before a power failure of which PROCESS promises nothing


@dataclass(frozen=True)
class Stream:
    """A stream on file, the oldest messages discarded first.

    Attributes:
        settings: prefix of the variables that override its sizes; None: there are none
        ack_wait_s: of its durables without their own, as the next one
        max_age_s: 0: messages are kept at any age
        durability: of its messages, and those of its topics
        permanent: the server refuses to delete single messages and to purge, and that cannot be changed any more
        beside: it keeps what is also published to present readers
    """

    name: str
    subjects: tuple[str, ...]
    max_bytes: int
    max_age_s: float
    duplicate_window_s: float = 120.0
    settings: str | None = None
    ack_wait_s: float = 45.0
    max_deliver: int = 7
    max_ack_pending: int = 512
    durability: Durability = Durability.POWER
    permanent: bool = False
    beside: bool = False

    @property
    def persist_async(self) -> bool:
        """True if a message is acknowledged before it is written."""
        return self.durability is Durability.PROCESS


@dataclass(frozen=True)
class Durable:
    """A durable pull consumer with explicit acknowledgement, from the oldest message; None: the stream's value."""

    name: str
    reader: str
    ack_wait_s: float | None = None
    max_deliver: int | None = None  # -1: no limit


@dataclass(frozen=True)
class Topic(Generic[P]):
    """One subject.

    Attributes:
        model: of its bodies; None: many kinds
        noun: one of its messages, in the singular
        rate_hz: nominal rate, of frames and their tracks in simulated time; None: no regular rate
        stream: None: not kept
        writers: identities that publish it, beside the tests'
        readers: services that subscribe to it, or ask for what its stream holds
        followers: services to which its stream is sent as it grows
        watched: viewers see it
        answered: its receivers answer requests, and nothing else subscribes, so that a sender learns from the broker
            that none is there
        own: the subject ends with the writer's name, and each writes its own only
    """

    subject: str
    model: type[P] | None
    noun: str
    writers: tuple[str, ...]
    about: str
    rate_hz: float | None = None
    stream: str | None = None
    durables: tuple[Durable, ...] = ()
    readers: tuple[str, ...] = ()
    followers: tuple[str, ...] = ()
    watched: bool = True
    answered: bool = False
    own: bool = False

    @property
    def durability(self) -> Durability:
        """That of its stream."""
        return self._kept.durability if self._kept else Durability.NONE

    @property
    def live(self) -> bool:
        """True if its readers subscribe to it; the others are read from their streams."""
        return self._kept is None or self._kept.beside

    @property
    def _kept(self) -> Stream | None:
        return next((one for one in STREAMS if one.name == self.stream), None)

    @property
    def stale_after_s(self) -> float | None:
        """Time without a message after which the topic is stale; None: never."""
        return None if self.rate_hz is None else STALE_AFTER / self.rate_hz

    def subject_of(self, writer: str) -> str:
        """Return the subject on which a writer publishes."""
        return self.subject.removesuffix(">") + writer if self.own else self.subject

    def covers(self, subject: str) -> bool:
        """Return whether a message on a subject belongs to the topic."""
        return subject == self.subject or (self.subject.endswith(">") and subject.startswith(self.subject[:-1]))


MIB = 1 << 20
MINUTE_S = 60.0
HOUR_S = 3600.0
# fmt: off
STREAMS = (
    Stream(QIKI_RADAR_V1, ("qiki.radar.v1.>",), 1024 * MIB, HOUR_S, settings="radar", durability=Durability.PROCESS),
    Stream(QIKI_EVENTS_V1, ("qiki.events.v1.>",), 1024 * MIB, 7 * 24 * HOUR_S, settings="events"),
    Stream(QIKI_TRACKER_V1, ("qiki.tracker.v1.>",), 64 * MIB, HOUR_S, durability=Durability.PROCESS),
    Stream(QIKI_DLQ_V1, ("qiki.dlq.v1.>",), 256 * MIB, 7 * 24 * HOUR_S),
    Stream(QIKI_STATE_V1, ("qiki.telemetry", "qiki.agent.v1.>", "qiki.sim.v1.>", "qiki.health.v1.>"), 256 * MIB, HOUR_S,
        durability=Durability.PROCESS, beside=True),
    Stream(QIKI_ESTIMATES_V1, ("qiki.estimates.v1.>",), 256 * MIB, 10 * MINUTE_S, durability=Durability.PROCESS),
    Stream(QIKI_ANCHOR_V1, ("qiki.anchor.v1.>",), 16 * MIB, 0, permanent=True),
)
# fmt: on

FRAMES_DURABLE = "radar_frames_pull"
TRACKS_DURABLE = "radar_tracks_pull"
AUDIT_DURABLE = "events_audit_pull"
REGISTRAR_DURABLE = "registrar_events_pull"
OUTSIDE = "outside clients"

# fmt: off
FRAMES = Topic("qiki.radar.v1.frames", RadarFrame, "frame", (RADAR,), "all detections of a scan", 10.0,
    QIKI_RADAR_V1, (Durable(FRAMES_DURABLE, BRIDGE),), readers=(RADAR, BRIDGE), followers=(REGISTRAR,))
FRAMES_LR = Topic("qiki.radar.v1.frames.lr", RadarFrame, "long-range frame", (RADAR,),
    "its long-range detections: no identity in them", 10.0, QIKI_RADAR_V1)
FRAMES_SR = Topic("qiki.radar.v1.tracks.sr", RadarFrame, "short-range frame", (RADAR,),
    "its short-range detections, with transponder identity (a frame, in spite of the name)", 10.0, QIKI_RADAR_V1)
TRACKS = Topic("qiki.radar.v1.tracks", RadarTrack, "track", (BRIDGE,), "one message a track and frame", 10.0,
    QIKI_RADAR_V1, (Durable(TRACKS_DURABLE, OUTSIDE),), followers=(AGENT,))
TRACKED = Topic("qiki.tracker.v1.frames", TrackedFrame, "tracked frame", (BRIDGE,),
    "a frame's tracks are stored", 10.0, QIKI_TRACKER_V1, readers=(BRIDGE,), followers=(AGENT, REGISTRAR))
ESTIMATES = Topic("qiki.estimates.v1.tracks", TrackEstimates, "estimates message", (BRIDGE,),
    "whole states of a frame's live tracks, before its notice; in parts of at most 1 MB", 10.0, QIKI_ESTIMATES_V1,
    followers=(AGENT,))
GUARD = Topic("qiki.events.v1.radar.guard", GuardAlert, "guard alert", (BRIDGE,), "a track met a guard rule",
    stream=QIKI_EVENTS_V1, followers=(AGENT,))
AUDIT = Topic("qiki.events.v1.audit", AuditRecord, "audit record", (REGISTRAR,), "audit records",
    None, QIKI_EVENTS_V1, (Durable(AUDIT_DURABLE, OUTSIDE),), readers=(REGISTRAR,))
ANCHOR = Topic("qiki.anchor.v1.audit", AuditAnchor, "audit anchor", (REGISTRAR,),
    "the signed head of the audit log, at most once a second", stream=QIKI_ANCHOR_V1, readers=(REGISTRAR,))
# The registrar must get every event in the end, however often it fails.
EVENTS: Topic[Any] = Topic("qiki.events.v1.>", None, "event", SERVICES, "everything that happened: each its own kinds",
    None, QIKI_EVENTS_V1, (Durable(REGISTRAR_DURABLE, REGISTRAR, ack_wait_s=5.0, max_deliver=-1),),
    readers=(REGISTRAR,))
TELEMETRY = Topic("qiki.telemetry", TelemetrySnapshot, "telemetry snapshot", (SIMULATOR,),
    "the bot's own state", 1.0, QIKI_STATE_V1, readers=(AGENT,))
TELEMETRY_REQUESTS: Topic[Any] = Topic("qiki.requests.telemetry", None, "telemetry request", (AGENT, OPERATOR),
    "asks for telemetry now, on its subject: an empty message; who comes need not wait for the next",
    readers=(SIMULATOR,), watched=False, answered=True)
COMMANDS = Topic("qiki.commands.control", CommandMessage, "command", (OPERATOR,),
    "commands to the simulator; in lockstep the agent's too", readers=(SIMULATOR,), answered=True)
RESPONSES = Topic("qiki.responses.control", ControlAck, "acknowledgement", (SIMULATOR,),
    "one acknowledgement a command")
TRUTH = Topic("qiki.truth.v1.contacts", TruthSnapshot, "truth snapshot", (SIMULATOR,),
    "the true contacts, for scoring and tests", 10.0, watched=False)
AGENT_STATE = Topic("qiki.agent.v1.state", AgentState, "agent state", (AGENT,),
    "the agent's state; also at every change of it", 1.0, QIKI_STATE_V1)
RUNS = Topic("qiki.sim.v1.runs", SimRun, "run description", (SIMULATOR,),
    "a run begins: all that it follows from, but for the orders", stream=QIKI_STATE_V1)
ORDERS = Topic("qiki.sim.v1.orders", SimOrder, "order", (SIMULATOR,),
    "an order took effect, with its tick", stream=QIKI_STATE_V1)
HEALTH = Topic("qiki.health.v1.>", ServiceHealth, "health report",
    (SIMULATOR, RADAR, BRIDGE, REGISTRAR, AGENT, CONSOLE),
    "what a service's `/readyz` says, on `qiki.health.v1.NAME`; also at every change of it", 0.2, QIKI_STATE_V1,
    own=True)
DEAD_LETTERS: Topic[Any] = Topic("qiki.dlq.v1.>", None, "dead letter", (BRIDGE, REGISTRAR),
    "the bytes as they came, from the reader that failed", stream=QIKI_DLQ_V1)
# fmt: on

TOPICS: tuple[Topic[Any], ...] = tuple(row for row in list(vars().values()) if isinstance(row, Topic))
FRAMES_BY_BAND = dict(zip(RadarRangeBand, (FRAMES, FRAMES_LR, FRAMES_SR), strict=True))
"""The topics of a frame, in the order in which they are published."""


def dead_letter_subject(origin: str) -> str:
    """Return the dead letters' subject for a message from `origin`.

    The server stores messages whose subjects it does not let us publish to: too long with our prefix, or with a
    wildcard for a token (`_` here). The letter's header has the origin unchanged.
    """
    beginning = origin.encode()[:MAX_ORIGIN_BYTES].decode(errors="ignore").rstrip(".")
    tokens = ("_" if token in {"*", ">"} else token for token in beginning.split("."))
    return f"qiki.dlq.v1.{'.'.join(tokens)}"
