"""The table of events: what happened, under which code, where it is told, who raises it and when.

Documents and tests are made from it; the registrar takes code and severity from it.
"""

from qiki.contracts.events.agent import BiosStatus, Decision, SystemMode
from qiki.contracts.events.codes import CODES, RANGES
from qiki.contracts.events.kinds import CODE, SEVERITY, EventKind
from qiki.contracts.events.payloads import (
    ActuatorOutcome,
    AuditBroken,
    AuditPruned,
    AuditRepaired,
    Connection,
    EventPayload,
    GuardCleared,
    HealthChange,
    HullStruck,
    IdentitySpoofed,
    Lag,
    LifeCycle,
    PowerLevel,
    RadarAvailability,
    RadarFramesSeen,
    RadarGap,
    RadarTracksSeen,
    Refusal,
    RunStarted,
    SensorAvailability,
)
from qiki.contracts.radar import GuardAlert

SUBJECT = "qiki.events.v1."
TYPE = "qiki.events.v1."
ANY = "urn:qiki:{service}:"
SIMULATOR = "urn:qiki:q-sim-service:"
BRIDGE = "urn:qiki:faststream-bridge:"
REGISTRAR = "urn:qiki:registrar:"
AGENT = "urn:qiki:q-core-agent:"


def _kind(
    code: int, name: str, subject: str, model: type[EventPayload], source: str, severity: str, when: str
) -> EventKind:
    return EventKind(code, name, SUBJECT + subject, TYPE + model.__name__, source, severity, model, when)


BOOT_START = _kind(100, "BOOT_START", "life.boot", LifeCycle, ANY + "life", "INFO", "a service begins")
BOOT_OK = _kind(101, "BOOT_OK", "life.boot", LifeCycle, ANY + "life", "INFO", "a service is ready for the first time")
INIT_OK = _kind(
    111, "INIT_OK", "life.init", LifeCycle, ANY + "life", "INFO", "streams and consumers are as they should"
)
INIT_FAILED = _kind(112, "INIT_FAILED", "life.init", LifeCycle, ANY + "life", "ERROR", "a stream cannot be made")

SENSOR_RESTORED = _kind(
    201, "SENSOR_IO_OK", "sensor.state", SensorAvailability, SIMULATOR + "sensors", "INFO", "a sensor works again"
)
SENSOR_FAILED = _kind(
    202, "SENSOR_IO_FAILED", "sensor.state", SensorAvailability, SIMULATOR + "sensors", "ERROR", "a sensor fails"
)
RADAR_RESTORED = _kind(
    201, "SENSOR_IO_OK", "sensor.radar", RadarAvailability, SIMULATOR + "power", "INFO", "the radar works again"
)
RADAR_SHED = _kind(
    202,
    "SENSOR_IO_FAILED",
    "sensor.radar",
    RadarAvailability,
    SIMULATOR + "power",
    "WARNING",
    "the radar is shed or fails: no frames until it is back",
)
RADAR_GAP = _kind(
    202,
    "SENSOR_IO_FAILED",
    "radar.gap",
    RadarGap,
    "urn:qiki:q-sim-radar:publisher",
    "ERROR",
    "frames were lost before they could be published",
)

ACTUATOR_OK = _kind(
    301, "ACTUATOR_OK", "actuator", ActuatorOutcome, SIMULATOR + "actuators", "INFO", "an actuator command is accepted"
)
ACTUATOR_FAILED = _kind(
    302,
    "ACTUATOR_FAILED",
    "actuator",
    ActuatorOutcome,
    SIMULATOR + "actuators",
    "WARNING",
    "an actuator command is refused, or dropped before it could act",
)

NATS_CONNECTED = _kind(
    410, "NATS_CONNECTED", "nats", Connection, ANY + "nats", "INFO", "a connection is made or made again"
)
NATS_DISCONNECTED = _kind(
    411, "NATS_DISCONNECTED", "nats", Connection, ANY + "nats", "WARNING", "a connection was lost; told once it is back"
)
LAG_CLEARED = _kind(401, "COMM_OK", "lag", Lag, BRIDGE + "lag", "INFO", "a reader has caught up")
LAG_PASSED = _kind(402, "COMM_FAILED", "lag", Lag, BRIDGE + "lag", "WARNING", "a reader of ours falls behind")

RUN_STARTED = _kind(500, "NAV_START", "navigation.run", RunStarted, SIMULATOR + "world", "INFO", "a run begins")
NAV_RESTORED = _kind(
    501, "NAV_OK", "navigation.sensor", SensorAvailability, SIMULATOR + "sensors", "INFO", "a navigation sensor is back"
)
NAV_FAILED = _kind(
    502,
    "NAV_FAILED",
    "navigation.sensor",
    SensorAvailability,
    SIMULATOR + "sensors",
    "ERROR",
    "a navigation sensor fails",
)

POWER_OK = _kind(601, "POWER_OK", "power.level", PowerLevel, SIMULATOR + "power", "INFO", "the battery has recovered")
POWER_LOW = _kind(602, "POWER_LOW", "power.level", PowerLevel, SIMULATOR + "power", "WARNING", "the battery is low")
POWER_CRITICAL = _kind(
    603, "POWER_CRITICAL", "power.level", PowerLevel, SIMULATOR + "power", "CRITICAL", "the battery cannot hold the bus"
)

HEALTH_OK = _kind(701, "HEALTH_CHECK_OK", "health", HealthChange, ANY + "health", "INFO", "a service is ready again")
HEALTH_FAILED = _kind(
    702, "HEALTH_CHECK_FAILED", "health", HealthChange, ANY + "health", "ERROR", "a service is no longer ready"
)
HULL_STRUCK = _kind(
    702, "HEALTH_CHECK_FAILED", "health.hull", HullStruck, SIMULATOR + "hull", "CRITICAL", "the hull is struck"
)

COMMAND_REFUSED = _kind(
    802, "SECURITY_VIOLATION", "security.refused", Refusal, SIMULATOR + "control", "WARNING", "a command is refused"
)
IDENTITY_SPOOFED = _kind(
    802,
    "SECURITY_VIOLATION",
    "security.spoof",
    IdentitySpoofed,
    BRIDGE + "tracker",
    "WARNING",
    "a track is found a spoofer",
)
GUARD_ALERT = EventKind(
    802,
    "SECURITY_VIOLATION",
    SUBJECT + "radar.guard",
    TYPE + "RadarGuardAlert",
    BRIDGE + "radar_guard",
    "WARNING",
    GuardAlert,
    "a track meets a guard rule; severity follows the rule",
)

GUARD_RESUMED = EventKind(
    802,
    "SECURITY_VIOLATION",
    SUBJECT + "radar.guard.resumed",
    TYPE + "RadarGuardResumed",
    BRIDGE + "radar_guard",
    "WARNING",
    GuardAlert,
    "a track meets a guard rule again within the cooldown of the alert that had ended; severity follows the rule",
)
GUARD_CLEARED = _kind(
    801,
    "SECURITY_OK",
    "radar.guard.cleared",
    GuardCleared,
    BRIDGE + "radar_guard",
    "INFO",
    "a track no longer meets the guard rule that it met",
)

AGENT_BOOTING = _kind(110, "INIT_START", "system_mode", SystemMode, AGENT + "fsm", "INFO", "the agent begins its boot")
AGENT_BOOTED = _kind(
    111, "INIT_OK", "system_mode", SystemMode, AGENT + "fsm", "INFO", "the agent's boot is complete: mode NORMAL"
)
SAFE_MODE_ENTERED = _kind(
    900, "CRITICAL_ERROR", "system_mode", SystemMode, AGENT + "fsm", "CRITICAL", "the agent enters SAFE_MODE"
)
AGENT_HALTED = _kind(
    901, "SYSTEM_HALT", "system_mode", SystemMode, AGENT + "fsm", "WARNING", "the agent is told to stop"
)
SAFE_MODE_CLEARING = _kind(
    910, "RECOVERY_START", "system_mode", SystemMode, AGENT + "fsm", "INFO", "the causes of SAFE_MODE are gone"
)
SAFE_MODE_LEFT = _kind(
    911, "RECOVERY_OK", "system_mode", SystemMode, AGENT + "fsm", "INFO", "the agent leaves SAFE_MODE: mode NORMAL"
)
BIOS_OK = _kind(
    701,
    "HEALTH_CHECK_OK",
    "bios_status",
    BiosStatus,
    AGENT + "bios",
    "INFO",
    "the self test finds every device in order",
)
BIOS_FAILED = _kind(
    702,
    "HEALTH_CHECK_FAILED",
    "bios_status",
    BiosStatus,
    AGENT + "bios",
    "ERROR",
    "the self test misses a device or more",
)
PROPOSAL_ACCEPTED = _kind(
    300,
    "ACTUATOR_START",
    "agent.decision",
    Decision,
    AGENT + "decision",
    "INFO",
    "a proposal is accepted and its commands are sent",
)
PROPOSAL_REFUSED = _kind(
    302,
    "ACTUATOR_FAILED",
    "agent.decision",
    Decision,
    AGENT + "decision",
    "WARNING",
    "a proposal, or a command of it, is refused",
)

# What the registrar itself has to say stands in the audit log and on its subject alone.
RADAR_FRAMES_SEEN = _kind(
    210, "RADAR_FRAME_RECEIVED", "audit", RadarFramesSeen, REGISTRAR + "radar", "INFO", "a second with frames is over"
)
RADAR_TRACKS_SEEN = _kind(
    211,
    "RADAR_TRACK_GENERATED",
    "audit",
    RadarTracksSeen,
    REGISTRAR + "radar",
    "INFO",
    "a second with tracked frames is over",
)
AUDIT_PRUNED = _kind(
    801, "SECURITY_OK", "audit", AuditPruned, REGISTRAR + "audit", "INFO", "old audit files are removed as configured"
)
AUDIT_BROKEN = _kind(
    802,
    "SECURITY_VIOLATION",
    "audit",
    AuditBroken,
    REGISTRAR + "audit",
    "CRITICAL",
    "the audit log was cut or changed while the registrar was away",
)
AUDIT_REPAIRED = _kind(
    911,
    "RECOVERY_OK",
    "audit",
    AuditRepaired,
    REGISTRAR + "audit",
    "WARNING",
    "a torn line was taken away after a crash",
)

EVENTS = tuple(kind for kind in globals().copy().values() if isinstance(kind, EventKind))

__all__ = [
    "ACTUATOR_FAILED", "ACTUATOR_OK", "AGENT_BOOTED", "AGENT_BOOTING", "AGENT_HALTED", "AUDIT_BROKEN", "AUDIT_PRUNED",
    "AUDIT_REPAIRED", "BIOS_FAILED", "BIOS_OK", "BOOT_OK", "BOOT_START", "CODE", "CODES", "COMMAND_REFUSED", "EVENTS",
    "GUARD_ALERT", "GUARD_CLEARED", "GUARD_RESUMED", "HEALTH_FAILED", "HEALTH_OK", "HULL_STRUCK", "IDENTITY_SPOOFED",
    "INIT_FAILED", "INIT_OK", "LAG_CLEARED", "LAG_PASSED", "NATS_CONNECTED", "NATS_DISCONNECTED", "NAV_FAILED",
    "NAV_RESTORED", "POWER_CRITICAL", "POWER_LOW", "POWER_OK", "PROPOSAL_ACCEPTED", "PROPOSAL_REFUSED",
    "RADAR_FRAMES_SEEN", "RADAR_GAP", "RADAR_RESTORED", "RADAR_SHED", "RADAR_TRACKS_SEEN", "RANGES", "RUN_STARTED",
    "SAFE_MODE_CLEARING", "SAFE_MODE_ENTERED", "SAFE_MODE_LEFT", "SENSOR_FAILED", "SENSOR_RESTORED", "SEVERITY",
    "ActuatorOutcome", "AuditBroken", "AuditPruned", "AuditRepaired", "BiosStatus", "Connection", "Decision",
    "EventKind", "EventPayload", "GuardCleared", "HealthChange", "HullStruck", "IdentitySpoofed", "Lag", "LifeCycle",
    "PowerLevel", "RadarAvailability", "RadarFramesSeen", "RadarGap", "RadarTracksSeen", "Refusal", "RunStarted",
    "SensorAvailability", "SystemMode",
]  # fmt: skip
