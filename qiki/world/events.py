"""The events of a run: which kind, and what it says."""

from datetime import datetime
from uuid import uuid5

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


Raised = tuple[EventKind, EventPayload, str, datetime]
"""An event: its kind, its payload, its identity, and its time."""


def run_started(world: World) -> Raised:
    """Return the event of a run that begins."""
    body = events.RunStarted(
        run_id=str(world.run_id),
        scenario=world.scenario.name,
        seed=world.seed,
        ts_epoch=world.timestamp.timestamp(),
    )
    return events.RUN_STARTED, body, f"{world.run_id}:start", world.timestamp


def event_of(world: World, happening: VehicleEvent) -> Raised:
    """Return the event of something that happened to the vehicle; the same run repeated names it the same."""
    kind, body = _body_of(world, happening)
    event_id = str(uuid5(world.run_id, f"event:{world.tick_count}:{happening.kind}:{happening.details}"))
    return kind, body, event_id, world.timestamp


def _body_of(world: World, happening: VehicleEvent) -> tuple[EventKind, EventPayload]:
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
