"""The sensors and their readings of the world: one row a sensor."""

from collections.abc import Callable
from dataclasses import dataclass

from qiki.botspec.planes import Node, SensorKind
from qiki.contracts.enums import Unit
from qiki.world.errors import NoSensorError
from qiki.world.vehicle.axes import Vector3
from qiki.world.world import MeasuredFrame, SimWorld

Value = float | Vector3 | MeasuredFrame
ZERO_CELSIUS_K = 273.15


@dataclass(frozen=True, slots=True)
class Sensor:
    """A kind of sensor. `read` returns its value at the present tick, the same for every reader, or None."""

    kind: SensorKind
    unit: Unit
    read: Callable[[SimWorld], Value | None]


def choose(world: SimWorld, sensor_type: int) -> Sensor:
    """Return the sensor of a type, NoSensorError if none is fitted; type 0 gives the fitted ones in turn, by tick."""
    fitted = world.vehicle.sensors.parameters.fitted
    if not sensor_type:
        return SENSORS[fitted[world.tick_count % len(fitted)]]
    if sensor_type not in fitted:
        names = ", ".join(f"{kind.name} ({kind})" for kind in fitted)
        raise NoSensorError(f"no sensor of type {sensor_type} is fitted (expected one of: {names})")
    return SENSORS[SensorKind(sensor_type)]


def read(world: SimWorld, sensor: Sensor) -> Value | None:
    """Return a sensor's value; None where it has failed, or where there is nothing to read."""
    return sensor.read(world) if world.vehicle.sensors.works(sensor.kind) else None


def _lidar(world: SimWorld) -> float | None:
    """Distance of the nearest contact within reach [m]."""
    sensors, nearest_m = world.vehicle.sensors, world.nearest_m()
    if nearest_m is None or nearest_m > sensors.parameters.lidar_range_m:
        return None
    return max(0.0, sensors.blur(SensorKind.LIDAR, (nearest_m, 0.0, 0.0), sensors.parameters.lidar_sigma_m)[0])


def _imu(world: SimWorld) -> Vector3:
    """Roll, pitch and yaw, which is the heading [deg]."""
    sensors, heading_deg = world.vehicle.sensors, world.vehicle.drive.heading_deg
    roll, pitch, yaw = sensors.blur(SensorKind.IMU, (0.0, 0.0, heading_deg), sensors.parameters.imu_sigma_deg)
    return roll, pitch, yaw % 360.0


def _gps(world: SimWorld) -> Vector3:
    """Position in the world [m]."""
    sensors = world.vehicle.sensors
    return sensors.blur(SensorKind.GPS, world.vehicle.position_m, sensors.parameters.gps_sigma_m)


def _thermal(world: SimWorld) -> float:
    """Temperature of the core [K]."""
    sensors, celsius = world.vehicle.sensors, world.vehicle.thermal.temperature_c(Node.CORE)
    kelvin = (celsius + ZERO_CELSIUS_K, 0.0, 0.0)
    return sensors.blur(SensorKind.THERMAL, kelvin, sensors.parameters.thermal_sigma_k)[0]


def _radar(world: SimWorld) -> MeasuredFrame | None:
    """The run's newest frame, while the radar works."""
    return world.newest_frame if world.vehicle.radar_off_reason is None else None


SENSORS = {
    SensorKind.LIDAR: Sensor(SensorKind.LIDAR, Unit.METERS, _lidar),
    SensorKind.IMU: Sensor(SensorKind.IMU, Unit.DEGREES, _imu),
    SensorKind.GPS: Sensor(SensorKind.GPS, Unit.METERS, _gps),
    SensorKind.THERMAL: Sensor(SensorKind.THERMAL, Unit.KELVIN, _thermal),
    SensorKind.RADAR: Sensor(SensorKind.RADAR, Unit.UNIT_UNSPECIFIED, _radar),
}
