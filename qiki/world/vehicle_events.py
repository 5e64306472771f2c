"""What happens to the vehicle that somebody should hear of: changes, each told once."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from qiki.botspec.planes.sensors import SensorKind
from qiki.world.vehicle.vehicle import Vehicle


class Kind(StrEnum):
    """Kinds of happenings."""

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
    """One of them, with what there is to say about it."""

    kind: Kind
    details: dict[str, Any] = field(default_factory=dict)


class Watch:
    """Remembers how the vehicle was, and tells what has changed."""

    def __init__(self) -> None:
        self._radar_off: str | None = None
        self._power = Kind.POWER_OK

    def look(self, vehicle: Vehicle, changed: list[SensorKind]) -> list[VehicleEvent]:
        """What is new since the last look."""
        return [*self._radar(vehicle), *self._level(vehicle), *(_sensor(vehicle, kind) for kind in changed)]

    def _radar(self, vehicle: Vehicle) -> list[VehicleEvent]:
        before, self._radar_off = self._radar_off, vehicle.radar_off_reason
        if (before is None) == (self._radar_off is None):
            return []
        if self._radar_off is None:
            return [VehicleEvent(Kind.RADAR_RESTORED)]
        return [VehicleEvent(Kind.RADAR_LOST, {"reason": self._radar_off})]

    def _level(self, vehicle: Vehicle) -> list[VehicleEvent]:
        before, self._power = self._power, _power_level(vehicle)
        if before is self._power:
            return []
        details = {"soc_pct": vehicle.power.battery.soc_pct, "shed_loads": list(vehicle.bus.shed)}
        return [VehicleEvent(self._power, details | {"faults": list(vehicle.faults)})]


def _power_level(vehicle: Vehicle) -> Kind:
    if {"BATTERY_EMPTY", "BUS_UNDERVOLTAGE"} & set(vehicle.bus.faults):
        return Kind.POWER_CRITICAL
    return Kind.POWER_LOW if "BATTERY_LOW" in vehicle.bus.faults else Kind.POWER_OK


def _sensor(vehicle: Vehicle, sensor: SensorKind) -> VehicleEvent:
    kind = Kind.SENSOR_RESTORED if vehicle.sensors.works(sensor) else Kind.SENSOR_FAILED
    return VehicleEvent(kind, {"sensor": sensor.name})
