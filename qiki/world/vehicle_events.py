"""Events of the vehicle: changes, each reported once."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from qiki.botspec.planes import SensorKind
from qiki.state import State, Stateful
from qiki.world.vehicle.vehicle import Vehicle


class VehicleEventKind(StrEnum):
    """Kinds of events of the vehicle."""

    RADAR_LOST = "radar_lost"
    RADAR_RESTORED = "radar_restored"
    SENSOR_FAILED = "sensor_failed"
    SENSOR_RESTORED = "sensor_restored"
    POWER_OK = "power_ok"
    POWER_LOW = "power_low"
    POWER_CRITICAL = "power_critical"
    ORDER_DROPPED = "order_dropped"
    STRUCK = "struck"


@dataclass(frozen=True, slots=True)
class VehicleEvent:
    """An event of the vehicle; its details depend on the kind."""

    kind: VehicleEventKind
    details: dict[str, Any] = field(default_factory=dict)


class Watch(Stateful):
    """Detects changes of the vehicle between ticks."""

    STATE = State(_radar_off=str | None, _power=VehicleEventKind)

    def __init__(self) -> None:
        self._radar_off: str | None = None
        self._power = VehicleEventKind.POWER_OK

    def look(self, vehicle: Vehicle, sensors: list[SensorKind]) -> list[VehicleEvent]:
        """Return the events since the last look; `sensors` are those that failed or recovered."""
        events = [*self._radar(vehicle), *self._level(vehicle)]
        for sensor in sensors:
            works = vehicle.sensors.works(sensor)
            kind = VehicleEventKind.SENSOR_RESTORED if works else VehicleEventKind.SENSOR_FAILED
            events.append(VehicleEvent(kind, {"sensor": sensor.name}))
        return events

    def _radar(self, vehicle: Vehicle) -> list[VehicleEvent]:
        before, self._radar_off = self._radar_off, vehicle.radar_off_reason
        if (before is None) == (self._radar_off is None):
            return []
        if self._radar_off is None:
            return [VehicleEvent(VehicleEventKind.RADAR_RESTORED)]
        return [VehicleEvent(VehicleEventKind.RADAR_LOST, {"reason": self._radar_off})]

    def _level(self, vehicle: Vehicle) -> list[VehicleEvent]:
        before, self._power = self._power, _power_level(vehicle)
        if before is self._power:
            return []
        details = {"soc_pct": vehicle.power.battery.soc_pct, "shed_loads": list(vehicle.bus.shed)}
        return [VehicleEvent(self._power, details | {"faults": list(vehicle.faults)})]


def _power_level(vehicle: Vehicle) -> VehicleEventKind:
    faults = vehicle.bus.faults
    if "BATTERY_EMPTY" in faults or "BUS_UNDERVOLTAGE" in faults:
        return VehicleEventKind.POWER_CRITICAL
    return VehicleEventKind.POWER_LOW if "BATTERY_LOW" in faults else VehicleEventKind.POWER_OK
