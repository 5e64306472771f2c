"""Payloads of events. Events of the simulated world carry simulated time, events of services wall time."""

from uuid import UUID

from qiki.contracts.fields import Finite, Payload


class EventPayload(Payload):
    """The fields of every event; `ts_epoch` is Unix seconds."""

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
    """A service becomes ready, or stops being ready; `problems` maps condition to problem."""

    category: str = "health"
    problems: dict[str, str]


class RadarAvailability(EventPayload):
    """The vehicle gives the radar power, or sheds it for a reason."""

    category: str = "sensor"
    source: str = "radar"
    run_id: str
    available: bool
    reason: str


class RadarGap(EventPayload):
    """Frames that were measured and lost before they were published; first and last number are lost too."""

    category: str = "sensor"
    source: str = "radar"
    run_id: str
    first_frame: int
    last_frame: int
    reason: str


class SensorAvailability(EventPayload):
    """A sensor fails, or works again."""

    category: str = "sensor"
    run_id: str
    sensor: str
    available: bool


class ActuatorOutcome(EventPayload):
    """The outcome of an actuator command."""

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
    """The battery's level, with the loads shed and the faults."""

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
    """A refused command."""

    category: str = "security"
    source: str = "control"
    command: str | None
    sender: str
    request_id: str | None
    reason: str


class GuardCleared(EventPayload):
    """A track no longer meets a guard rule: it left, changed, or was lost."""

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

    `first_sequence` and `last_sequence` are positions in the stream created at `stream_created`. No message is counted
    twice, even if the reader restarts in between.
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
    """Frames received, and the number of their detections."""

    detections: int


class RadarTracksSeen(RadarSummary):
    """Frames tracked, and the number of their track messages."""

    tracks: int


class AuditRepaired(EventPayload):
    """A line of the audit log that a crash had cut short was removed; its event is registered again."""

    category: str = "health"
    source: str = "registrar"
    file: str
    torn_bytes: int


class AuditPruned(EventPayload):
    """The oldest files of the audit log were removed, as configured."""

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
