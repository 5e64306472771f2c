"""Payloads of events.

Events of the simulated world carry simulated time, events of services wall time. The field names of the agent's are
those of `bios_status.proto` and `proposal.proto` where these have them.
"""

from uuid import UUID

from qiki.contracts.audit import AuditAnchor
from qiki.contracts.enums import DeviceCode, DeviceStatus, DeviceType, FSMState, ProposalStatus, ProposalType
from qiki.contracts.fields import Finite, FrameNumber, Payload, Several, Timestamp


class EventPayload(Payload):
    """The fields of every event; `ts_epoch` is Unix seconds."""

    schema_version: int = 1
    category: str
    source: str
    ts_epoch: Finite


class RunEvent(EventPayload):
    """An event of one run."""

    run_id: str


class LifeCycle(EventPayload):
    """A service or a one-shot begins, is ready, or fails."""

    category: str = "life"
    detail: str = ""


class Connection(EventPayload):
    """A service's connection to NATS comes or goes."""

    category: str = "communication"
    connection: str


class EventsDropped(EventPayload):
    """A service had to drop events, this many, as NATS was away for too long."""

    category: str = "communication"
    dropped: int


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


class RadarAvailability(RunEvent):
    """The vehicle gives the radar power, or sheds it for a reason."""

    category: str = "sensor"
    source: str = "radar"
    available: bool
    reason: str


class RadarGap(RunEvent):
    """Frames that were measured and lost before they were published; first and last number are lost too."""

    category: str = "sensor"
    source: str = "radar"
    first_frame: FrameNumber
    last_frame: FrameNumber
    reason: str


class SensorAvailability(RunEvent):
    """A sensor fails, or works again."""

    category: str = "sensor"
    sensor: str
    available: bool


class ActuatorOutcome(RunEvent):
    """The outcome of an actuator command.

    `identity` is that of the sender, where the simulator has checked it; `command_id` is the sender's own, null where
    it gave none.
    """

    category: str = "actuator"
    source: str = "actuators"
    actuator: str
    accepted: bool
    message: str
    identity: str | None = None
    command_id: str | None = None


class RunStarted(RunEvent):
    """A run of the world begins."""

    category: str = "navigation"
    source: str = "world"
    scenario: str
    seed: int


class RunResumed(RunEvent):
    """A killed simulator goes on with its run, `tick` ticks behind its begin."""

    category: str = "navigation"
    source: str = "world"
    scenario: str
    tick: int


class PowerLevel(RunEvent):
    """The battery's level, with the loads shed and the faults."""

    category: str = "power"
    source: str = "battery"
    soc_pct: Finite
    shed_loads: Several[str]
    faults: Several[str]


class HullStruck(RunEvent):
    """The hull was hit."""

    category: str = "health"
    source: str = "hull"
    integrity_pct: Finite


class Refusal(EventPayload):
    """A refused command."""

    category: str = "security"
    source: str = "control"
    command: str | None
    sender: str
    request_id: str | None
    reason: str


class AccessRefused(EventPayload):
    """The broker refused a client: a subject that it may not use, or a key that the broker does not know.

    Attributes:
        identity: name of the client; of an unknown one its public key or user name
        verb: `publish`, `subscribe`, or `connect`
        on_subject: empty for `connect`
        address: of the client, HOST:PORT
        count: refusals of this kind since the last event of it
    """

    category: str = "security"
    identity: str
    verb: str
    on_subject: str
    address: str
    count: int


class MessageIdTaken(EventPayload):
    """A message of a service was not stored: another one, perhaps forged, has its message id."""

    category: str = "security"
    stream: str
    subject: str
    message_id: str
    stored_sequence: int


class GuardCleared(RunEvent):
    """A track no longer meets a guard rule: it left, changed, or was lost."""

    category: str = "radar"
    source: str = "guard"
    rule_id: str
    track_id: UUID
    fsm_event: str


class IdentitySpoofed(RunEvent):
    """A track claims an identity that is another's."""

    category: str = "security"
    source: str = "tracker"
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
    files: Several[str]
    last_sequence: int
    last_hash: str


class AuditBroken(EventPayload):
    """The audit log is not as it was left: lines were cut off, changed or slipped in while the registrar was away.

    Where the record `expected` should stand, or should be followed by the next one, the files have `found`.
    """

    category: str = "security"
    source: str = "registrar"
    found_sequence: int
    found_hash: str
    expected_sequence: int
    expected_hash: str


class AuditSigned(EventPayload):
    """The head of the audit log before this record, signed.

    `adopted` records before it were found unsigned at the registrar's start, after the last signed head.
    """

    category: str = "security"
    source: str = "registrar"
    head: AuditAnchor
    adopted: int = 0


class AuditKeyChanged(AuditSigned):
    """The head of the audit log, signed with another key than before; `previous_key` is the one before."""

    previous_key: str


class AuditSigningBegun(AuditSigned):
    """The head of the audit log, signed for the first time: the records before it are as they were found then."""


class AuditUnsigned(EventPayload):
    """The registrar has a folder of keys without a signing key: the audit log goes on without signatures."""

    category: str = "security"
    source: str = "registrar"
    missing: str


class AuditAnchorFault(EventPayload):
    """The anchors' stream does not hold what was published there last.

    `skipped` messages after the newest anchor of our key are none of ours; without such an anchor `sequence` is null,
    and a cut at the end of the log would not have shown.
    """

    category: str = "security"
    source: str = "registrar"
    skipped: int
    sequence: int | None


class AuditDisputed(EventPayload):
    """The newest record on the audit subject is not in the log: forged there, or cut off before it was signed."""

    category: str = "security"
    source: str = "registrar"
    stream_sequence: int
    record_sequence: int | None


class Evidence(Payload):
    """A message that a decision rests on: its subject, its stream sequence and its age."""

    subject: str
    sequence: int | None
    age_s: Finite


class SystemMode(RunEvent):
    """Change of the agent's mode: BOOTING, NORMAL, SAFE_MODE (the state ERROR_STATE) or SHUTDOWN."""

    category: str = "mode"
    source: str = "q_core_agent"
    mode: str
    previous: str
    state: FSMState
    trigger: str
    reasons: Several[str]
    rests_on: Several[Evidence]


class DeviceReport(Payload):
    """The result of the self test for one device."""

    device_id: UUID
    device_name: str
    status: DeviceStatus
    error_message: str = ""
    device_type: DeviceType
    status_code: DeviceCode = DeviceCode.STATUS_CODE_UNSPECIFIED


class BiosStatus(RunEvent):
    """Power-on self test of the specified devices; `health_score` is the share of devices that are OK."""

    category: str = "health"
    source: str = "bios"
    bios_uuid: UUID
    firmware_version: str
    all_systems_go: bool
    health_score: Finite
    last_checked: Timestamp
    uptime_sec: int
    post_results: Several[DeviceReport]


class ActionTaken(Payload):
    """One actuator command of a proposal; `accepted` is None if it was not sent.

    `command_id` is the id with which it was, or would have been, sent: the order and the actuator's event repeat it.
    """

    actuator: str
    command: str
    value: Finite
    timeout_ms: int = 0
    accepted: bool | None = None
    message: str = ""
    command_id: str = ""


class Decision(RunEvent):
    """The outcome of one proposal."""

    category: str = "decision"
    tick: int
    state: FSMState
    proposal_id: UUID
    type: ProposalType
    status: ProposalStatus
    justification: str
    reason: str = ""
    priority: Finite
    confidence: Finite
    actions: Several[ActionTaken]
    rests_on: Several[Evidence]
