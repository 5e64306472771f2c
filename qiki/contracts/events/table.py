"""The table of events: one row for each kind. Documents, the registrar's codes and severities, and tests follow it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from qiki.clock import rfc3339
from qiki.contracts.events.codes import CODES
from qiki.contracts.events.payloads import (
    AccessRefused,
    ActuatorOutcome,
    AuditAnchorFault,
    AuditBroken,
    AuditDisputed,
    AuditKeyChanged,
    AuditPruned,
    AuditRepaired,
    AuditSigned,
    AuditSigningBegun,
    AuditUnsigned,
    BiosStatus,
    Connection,
    Decision,
    EventsDropped,
    GuardCleared,
    HealthChange,
    HullStruck,
    IdentitySpoofed,
    Lag,
    LifeCycle,
    MessageIdTaken,
    PowerLevel,
    RadarAvailability,
    RadarFramesSeen,
    RadarGap,
    RadarTracksSeen,
    Refusal,
    RunResumed,
    RunStarted,
    SensorAvailability,
    SystemMode,
)
from qiki.contracts.fields import Payload
from qiki.contracts.headers import cloud_event
from qiki.contracts.identities import AGENT, SERVICES
from qiki.contracts.radar import GuardAlert

CODE = "x-qiki-code"
SEVERITY = "x-qiki-severity"
RAISERS = {"q-core-agent": AGENT}
"""Sources that are no identity's name, to the identity."""


@dataclass(frozen=True)
class EventKind:
    """One kind of event.

    Attributes:
        code: the registrar's, 1xx to 9xx
        source: CloudEvents source; `{service}` stands for the service that raises the event
        when: for the documents
    """

    code: int
    subject: str
    ce_type: str
    source: str
    severity: str
    model: type[Payload]
    when: str

    @property
    def name(self) -> str:
        """Name of the code."""
        return CODES[self.code]

    @property
    def publishers(self) -> tuple[str, ...]:
        """Identities that raise it."""
        raiser = self.source.removeprefix("urn:qiki:").partition(":")[0]
        return SERVICES if raiser == "{service}" else (RAISERS.get(raiser, raiser),)

    def headers(self, event_id: str, moment: datetime, service: str = "") -> Mapping[str, str]:
        """Return the headers of one event of this kind. The same id means the same event."""
        source = self.source.replace("{service}", service)
        event = cloud_event(event_id, self.ce_type, source, rfc3339(moment))
        return event | {CODE: str(self.code), SEVERITY: self.severity}


def _kind(
    code: int, subject: str, model: type[Payload], source: str, severity: str, when: str, name: str = ""
) -> EventKind:
    """Return a row; `subject` is what follows `qiki.events.v1.`, and `source` what follows `urn:qiki:`."""
    ce_type = f"qiki.events.v1.{name or model.__name__}"
    return EventKind(code, f"qiki.events.v1.{subject}", ce_type, f"urn:qiki:{source}", severity, model, when)


# fmt: off
BOOT_START = _kind(100, "life.boot", LifeCycle, "{service}:life", "INFO", "a service begins")
BOOT_OK = _kind(101, "life.boot", LifeCycle, "{service}:life", "INFO", "a service is ready for the first time")
INIT_OK = _kind(111, "life.init", LifeCycle, "{service}:life", "INFO", "streams and consumers are as planned")
INIT_FAILED = _kind(112, "life.init", LifeCycle, "{service}:life", "ERROR", "a stream cannot be made")

SENSOR_RESTORED = _kind(201, "sensor.state", SensorAvailability, "q-sim-service:sensors", "INFO", "a sensor is back")
SENSOR_FAILED = _kind(202, "sensor.state", SensorAvailability, "q-sim-service:sensors", "ERROR", "a sensor fails")
RADAR_RESTORED = _kind(201, "sensor.radar", RadarAvailability, "q-sim-service:power", "INFO", "the radar works again")
RADAR_SHED = _kind(202, "sensor.radar", RadarAvailability, "q-sim-service:power", "WARNING",
    "the radar is shed or fails: no frames until it is back")
RADAR_GAP = _kind(202, "radar.gap", RadarGap, "q-sim-radar:publisher", "ERROR",
    "frames were lost before they could be published")

ACTUATOR_OK = _kind(301, "actuator", ActuatorOutcome, "q-sim-service:actuators", "INFO",
    "an actuator accepts a command")
ACTUATOR_FAILED = _kind(302, "actuator", ActuatorOutcome, "q-sim-service:actuators", "WARNING",
    "an actuator refuses a command, or drops it before it acts")

NATS_CONNECTED = _kind(410, "nats", Connection, "{service}:nats", "INFO", "a connection is made, or restored")
NATS_DISCONNECTED = _kind(411, "nats", Connection, "{service}:nats", "WARNING",
    "a connection was lost; reported once it is back")
EVENTS_DROPPED = _kind(402, "life.events", EventsDropped, "{service}:events", "ERROR",
    "events were dropped, as NATS was away for longer than they could be kept; reported once it is back")
LAG_CLEARED = _kind(401, "lag", Lag, "faststream-bridge:lag", "INFO", "a reader has caught up")
LAG_PASSED = _kind(402, "lag", Lag, "faststream-bridge:lag", "WARNING", "a reader of ours falls behind")

RUN_STARTED = _kind(500, "navigation.run", RunStarted, "q-sim-service:world", "INFO", "a run begins")
RUN_RESUMED = _kind(911, "navigation.run", RunResumed, "q-sim-service:world", "WARNING",
    "a killed simulator goes on with its run")
NAV_RESTORED = _kind(501, "navigation.sensor", SensorAvailability, "q-sim-service:sensors", "INFO",
    "a navigation sensor is back")
NAV_FAILED = _kind(502, "navigation.sensor", SensorAvailability, "q-sim-service:sensors", "ERROR",
    "a navigation sensor fails")

POWER_OK = _kind(601, "power.level", PowerLevel, "q-sim-service:power", "INFO", "the battery has recovered")
POWER_LOW = _kind(602, "power.level", PowerLevel, "q-sim-service:power", "WARNING", "the battery is low")
POWER_CRITICAL = _kind(603, "power.level", PowerLevel, "q-sim-service:power", "CRITICAL",
    "the bus has too little power")

HEALTH_OK = _kind(701, "health", HealthChange, "{service}:health", "INFO", "a service is ready again")
HEALTH_FAILED = _kind(702, "health", HealthChange, "{service}:health", "ERROR", "a service is no longer ready")
HULL_STRUCK = _kind(702, "health.hull", HullStruck, "q-sim-service:hull", "CRITICAL", "the hull is hit")

COMMAND_REFUSED = _kind(802, "security.refused", Refusal, "q-sim-service:control", "WARNING", "a command is refused")
ACCESS_REFUSED = _kind(802, "security.access", AccessRefused, "registrar:access", "WARNING",
    "the broker refuses a client; once a minute at most for one identity and subject")
IDENTITY_SPOOFED = _kind(802, "security.spoof", IdentitySpoofed, "faststream-bridge:tracker", "WARNING",
    "a track claims an identity that is another's")
MESSAGE_ID_TAKEN = _kind(802, "security.message_id", MessageIdTaken, "{service}:publisher", "ERROR",
    "a message is not stored, because another one has its message id")

GUARD_ALERT = _kind(802, "radar.guard", GuardAlert, "faststream-bridge:radar_guard", "WARNING",
    "a track meets a guard rule; severity follows the rule", "RadarGuardAlert")
GUARD_RESUMED = _kind(802, "radar.guard.resumed", GuardAlert, "faststream-bridge:radar_guard", "WARNING",
    "a track meets a guard rule again within the cooldown of the ended alert; severity follows the rule",
    "RadarGuardResumed")
GUARD_CLEARED = _kind(801, "radar.guard.cleared", GuardCleared, "faststream-bridge:radar_guard", "INFO",
    "a track no longer meets the guard rule that it met")

AGENT_BOOTING = _kind(110, "system_mode", SystemMode, "q-core-agent:fsm", "INFO", "the agent begins its boot")
AGENT_BOOTED = _kind(111, "system_mode", SystemMode, "q-core-agent:fsm", "INFO",
    "the agent's boot is complete: mode NORMAL")
SAFE_MODE_ENTERED = _kind(900, "system_mode", SystemMode, "q-core-agent:fsm", "CRITICAL", "the agent enters SAFE_MODE")
AGENT_HALTED = _kind(901, "system_mode", SystemMode, "q-core-agent:fsm", "WARNING", "the agent is asked to stop")
SAFE_MODE_CLEARING = _kind(910, "system_mode", SystemMode, "q-core-agent:fsm", "INFO", "SAFE_MODE has no more causes")
SAFE_MODE_LEFT = _kind(911, "system_mode", SystemMode, "q-core-agent:fsm", "INFO", "the agent is back in mode NORMAL")
BIOS_OK = _kind(701, "bios_status", BiosStatus, "q-core-agent:bios", "INFO", "the self test finds no faulty device")
BIOS_FAILED = _kind(702, "bios_status", BiosStatus, "q-core-agent:bios", "ERROR", "the self test finds a faulty device")

PROPOSAL_ACCEPTED = _kind(300, "agent.decision", Decision, "q-core-agent:decision", "INFO",
    "a proposal is accepted and its commands are sent")
PROPOSAL_REFUSED = _kind(302, "agent.decision", Decision, "q-core-agent:decision", "WARNING",
    "a proposal, or a command of it, is refused")

# The registrar's own events: only in the audit log and on its subject.
RADAR_FRAMES_SEEN = _kind(210, "audit", RadarFramesSeen, "registrar:radar", "INFO", "a second with frames is over")
RADAR_TRACKS_SEEN = _kind(211, "audit", RadarTracksSeen, "registrar:radar", "INFO",
    "a second with tracked frames is over")
AUDIT_PRUNED = _kind(801, "audit", AuditPruned, "registrar:audit", "INFO", "old audit files are removed as configured")
AUDIT_SIGNED = _kind(801, "audit", AuditSigned, "registrar:audit", "INFO",
    "the head of the audit log is signed: at most once a second, and when the registrar stops")
AUDIT_SIGNING_BEGUN = _kind(801, "audit", AuditSigningBegun, "registrar:audit", "INFO",
    "from here on the audit log is signed")
AUDIT_UNSIGNED = _kind(802, "audit", AuditUnsigned, "registrar:audit", "WARNING",
    "the registrar's signing key is missing, and the log was never signed")
AUDIT_KEY_CHANGED = _kind(802, "audit", AuditKeyChanged, "registrar:audit", "CRITICAL",
    "from here on another key signs the audit log")
AUDIT_ANCHOR_FAULT = _kind(802, "audit", AuditAnchorFault, "registrar:audit", "CRITICAL",
    "the anchors' stream does not hold the signed head that it should")
AUDIT_DISPUTED = _kind(802, "audit", AuditDisputed, "registrar:audit", "WARNING",
    "the newest record on the audit subject is not in the log")
AUDIT_BROKEN = _kind(802, "audit", AuditBroken, "registrar:audit", "CRITICAL",
    "the audit log was cut or changed while no registrar ran")
AUDIT_REPAIRED = _kind(911, "audit", AuditRepaired, "registrar:audit", "WARNING",
    "a line cut short by a crash is removed")
# fmt: on

EVENTS = tuple(row for row in globals().copy().values() if isinstance(row, EventKind))
