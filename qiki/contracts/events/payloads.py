"""Bodies of events. What simulated things do bears simulated time, what services do wall time."""

from uuid import UUID

from qiki.contracts.fields import Finite, Payload


class EventPayload(Payload):
    """What every event says: `ts_epoch` is Unix seconds."""

    schema_version: int = 1
    category: str
    source: str
    ts_epoch: Finite


class LifeCycle(EventPayload):
    """A service or a one-shot begins, is ready, or fails."""

    category: str = "life"
    detail: str = ""


class Connection(EventPayload):
    """A service's connection to NATS comes or goes."""

    category: str = "communication"
    connection: str


class Lag(EventPayload):
    """A reader falls behind, or has caught up: messages that wait, and how long the oldest has waited."""

    category: str = "communication"
    stream: str
    consumer: str
    pending: int
    oldest_s: Finite
    threshold_s: Finite


class HealthChange(EventPayload):
    """A service has what it needs, or not: condition to problem."""

    category: str = "health"
    problems: dict[str, str]


class RadarAvailability(EventPayload):
    """Whether the vehicle lets the radar work, and why not."""

    category: str = "sensor"
    source: str = "radar"
    run_id: str
    available: bool
    reason: str


class RadarGap(EventPayload):
    """Frames that were measured but could not be kept for publishing: first and last number, both lost."""

    category: str = "sensor"
    source: str = "radar"
    run_id: str
    first_frame: int
    last_frame: int
    reason: str


class SensorAvailability(EventPayload):
    """Whether a sensor works."""

    category: str = "sensor"
    run_id: str
    sensor: str
    available: bool


class ActuatorOutcome(EventPayload):
    """What became of a command to an actuator."""

    category: str = "actuator"
    source: str = "actuators"
    run_id: str
    actuator: str
    accepted: bool
    message: str


class RunStarted(EventPayload):
    """A run of the world begins."""

    category: str = "navigation"
    source: str = "world"
    run_id: str
    scenario: str
    seed: int


class PowerLevel(EventPayload):
    """The battery's level, and what it costs."""

    category: str = "power"
    source: str = "battery"
    run_id: str
    soc_pct: Finite
    shed_loads: tuple[str, ...]
    faults: tuple[str, ...]


class HullStruck(EventPayload):
    """The hull was hit."""

    category: str = "health"
    source: str = "hull"
    run_id: str
    integrity_pct: Finite


class Refusal(EventPayload):
    """A command that was refused to its sender."""

    category: str = "security"
    source: str = "control"
    command: str | None
    sender: str
    request_id: str | None
    reason: str


class GuardCleared(EventPayload):
    """A track that met a guard rule no longer does: it left, changed, or was lost."""

    category: str = "radar"
    source: str = "guard"
    run_id: str
    rule_id: str
    track_id: UUID
    fsm_event: str


class IdentitySpoofed(EventPayload):
    """A track claims an identity that is another's."""

    category: str = "security"
    source: str = "tracker"
    run_id: str
    track_id: UUID
    transponder_id: str | None
    range_m: Finite


class RadarSummary(EventPayload):
    """Radar traffic of one second of wall time, as the stream stored it.

    `first_sequence` and `last_sequence` are its place in the stream made at `stream_created`: no message is counted
    twice, also when the reader dies in between.
    """

    category: str = "sensor"
    source: str = "radar"
    stream: str
    stream_created: str
    first_sequence: int
    last_sequence: int
    second_epoch: int
    frames: int
    unreadable: int = 0


class RadarFramesSeen(RadarSummary):
    """Frames that came, and how many detections they held."""

    detections: int


class RadarTracksSeen(RadarSummary):
    """Frames that were tracked, and how many track messages they gave."""

    tracks: int


class AuditRepaired(EventPayload):
    """A line of the audit log that a crash had cut short was taken away; what it said comes again."""

    category: str = "health"
    source: str = "registrar"
    file: str
    torn_bytes: int


class AuditPruned(EventPayload):
    """The oldest files of the audit log were removed, as it is told to keep no more of them."""

    category: str = "security"
    source: str = "registrar"
    files: tuple[str, ...]
    last_sequence: int
    last_hash: str


class AuditBroken(EventPayload):
    """The audit log does not end as it was left: lines were cut off or changed while the registrar was away."""

    category: str = "security"
    source: str = "registrar"
    found_sequence: int
    found_hash: str
    expected_sequence: int
    expected_hash: str
