"""The events of a run as the contracts define them."""

from datetime import datetime
from uuid import uuid5

from qiki.botspec.planes import SensorKind
from qiki.contracts import events
from qiki.contracts.events import EventKind, EventPayload
from qiki.world.vehicle_events import VehicleEvent, VehicleEventKind
from qiki.world.world import SimWorld

NAVIGATION = {SensorKind.IMU.name, SensorKind.GPS.name}
POWER = {
    VehicleEventKind.POWER_OK: events.POWER_OK,
    VehicleEventKind.POWER_LOW: events.POWER_LOW,
    VehicleEventKind.POWER_CRITICAL: events.POWER_CRITICAL,
}


Raised = tuple[EventKind, EventPayload, str, datetime]  # an event: its kind, its payload, its identity, and its time


def run_started(world: SimWorld) -> Raised:
    """Return the event of a run that begins."""
    body = events.RunStarted(scenario=world.scenario.name, seed=world.seed, **_where(world))
    return events.RUN_STARTED, body, f"{world.run_id}:start", world.timestamp


def run_resumed(world: SimWorld) -> Raised:
    """Return the event of a run that goes on in another process."""
    body = events.RunResumed(scenario=world.scenario.name, tick=world.tick_count, **_where(world))
    return events.RUN_RESUMED, body, "", world.timestamp


def event_of(world: SimWorld, event: VehicleEvent) -> Raised:
    """Return a vehicle's event; its identity is the same when the run is repeated."""
    kind, body = _body_of(event, _where(world))
    event_id = str(uuid5(world.run_id, f"event:{world.tick_count}:{event.kind}:{event.details}"))
    return kind, body, event_id, world.timestamp


def _where(world: SimWorld) -> dict[str, object]:
    return {"run_id": str(world.run_id), "ts_epoch": world.timestamp.timestamp()}


def _body_of(event: VehicleEvent, where: dict[str, object]) -> tuple[EventKind, EventPayload]:
    details = event.details
    match event.kind:
        case VehicleEventKind.RADAR_LOST:
            return events.RADAR_SHED, events.RadarAvailability(available=False, reason=details["reason"], **where)
        case VehicleEventKind.RADAR_RESTORED:
            reason = "the radar works again"
            return events.RADAR_RESTORED, events.RadarAvailability(available=True, reason=reason, **where)
        case VehicleEventKind.SENSOR_FAILED | VehicleEventKind.SENSOR_RESTORED:
            return _sensor(details["sensor"], event.kind is VehicleEventKind.SENSOR_RESTORED, where)
        case VehicleEventKind.ORDER_DROPPED:
            body = events.ActuatorOutcome(actuator=details["order"], accepted=False, message=details["reason"], **where)
            return events.ACTUATOR_FAILED, body
        case VehicleEventKind.STRUCK:
            return events.HULL_STRUCK, events.HullStruck(integrity_pct=details["integrity_pct"], **where)
        case level:
            return POWER[level], events.PowerLevel(**details, **where)


def _sensor(sensor: str, available: bool, where: dict[str, object]) -> tuple[EventKind, EventPayload]:
    body = events.SensorAvailability(source="sensors", sensor=sensor, available=available, **where)
    if sensor in NAVIGATION:
        return (events.NAV_RESTORED if available else events.NAV_FAILED), body
    return (events.SENSOR_RESTORED if available else events.SENSOR_FAILED), body
