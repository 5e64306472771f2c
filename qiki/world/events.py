"""Happenings as events: which kind, and what it says."""

from qiki.botspec.planes.sensors import SensorKind
from qiki.contracts import events
from qiki.contracts.events import EventKind, EventPayload
from qiki.world.vehicle_events import Kind, VehicleEvent
from qiki.world.world import World

NAVIGATION = {SensorKind.IMU.name, SensorKind.GPS.name}
POWER = {
    Kind.POWER_OK: events.POWER_OK,
    Kind.POWER_LOW: events.POWER_LOW,
    Kind.POWER_CRITICAL: events.POWER_CRITICAL,
}


def event_of(world: World, happening: VehicleEvent) -> tuple[EventKind, EventPayload]:
    """The event that tells of a happening."""
    details = happening.details
    where = {"run_id": str(world.run_id), "ts_epoch": world.timestamp.timestamp()}
    match happening.kind:
        case Kind.RADAR_LOST:
            return events.RADAR_SHED, events.RadarAvailability(available=False, reason=details["reason"], **where)
        case Kind.RADAR_RESTORED:
            reason = "the radar works again"
            return events.RADAR_RESTORED, events.RadarAvailability(available=True, reason=reason, **where)
        case Kind.SENSOR_FAILED | Kind.SENSOR_RESTORED:
            return _sensor(details["sensor"], happening.kind is Kind.SENSOR_RESTORED, where)
        case Kind.ORDER_DROPPED:
            body = events.ActuatorOutcome(actuator=details["order"], accepted=False, message=details["reason"], **where)
            return events.ACTUATOR_FAILED, body
        case Kind.STRUCK:
            return events.HULL_STRUCK, events.HullStruck(integrity_pct=details["integrity_pct"], **where)
        case level:
            return POWER[level], events.PowerLevel(**details, **where)


def _sensor(sensor: str, available: bool, where: dict[str, object]) -> tuple[EventKind, EventPayload]:
    body = events.SensorAvailability(source="sensors", sensor=sensor, available=available, **where)
    if sensor in NAVIGATION:
        return (events.NAV_RESTORED if available else events.NAV_FAILED), body
    return (events.SENSOR_RESTORED if available else events.SENSOR_FAILED), body
