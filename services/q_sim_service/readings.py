"""Sensor readings as they go out."""

from collections.abc import Callable

from generated.common_types_pb2 import DEGREES, KELVIN, METERS, SensorType, Vector3
from generated.q_sim_api_pb2 import StreamRadarFramesResponse
from generated.sensor_raw_in_pb2 import SensorReading
from qiki.botspec.planes.sensors import SensorKind, sensor_id
from qiki.botspec.planes.thermal import Node
from qiki.contracts.protobuf import timestamp_to_proto, uuid_to_proto
from qiki.world.errors import NoSensorError
from qiki.world.snapshots import SOURCE
from qiki.world.vehicle.axes import Vector3 as Triple
from qiki.world.world import World

RADAR_ENCODING = "qiki.radar.v1"


def choose(world: World, sensor_type: int) -> SensorKind:
    """The sensor of a type; without one (0) that whose turn this tick is, the same for all who ask.

    Raises:
        NoSensorError: the vehicle carries none of this type.
    """
    fitted = {int(kind): kind for kind in world.vehicle.sensors.parameters.fitted}
    if not sensor_type:
        return world.vehicle.sensors.parameters.fitted[world.tick_count % len(fitted)]
    if sensor_type not in fitted:
        names = ", ".join(f"{kind.name} ({kind})" for kind in fitted.values())
        raise NoSensorError(f"no sensor of type {sensor_type} is fitted (expected one of: {names})")
    return fitted[sensor_type]


def reading(world: World, kind: SensorKind, newest: StreamRadarFramesResponse | None) -> SensorReading:
    """What a sensor says now.

    Args:
        world: as it is.
        kind: which sensor.
        newest: the current run's last frame, for the radar.
    """
    message = SensorReading(
        sensor_id=uuid_to_proto(sensor_id(kind)),
        sensor_type=SensorType.ValueType(int(kind)),
        timestamp=timestamp_to_proto(world.timestamp),
        source_module=SOURCE,
    )
    if kind is SensorKind.RADAR:
        message.encoding = RADAR_ENCODING
    if world.vehicle.sensors.works(kind):
        message.is_valid = _FILL[kind](world, message, newest)
        message.signal_strength = float(message.is_valid)
    return message


def _lidar(world: World, message: SensorReading, _: StreamRadarFramesResponse | None) -> bool:
    """Distance of the nearest contact, when one is within reach."""
    message.unit = METERS
    range_m = world.vehicle.sensors.range_m(world.nearest_m())
    if range_m is None:
        return False
    message.scalar_data = range_m
    return True


def _imu(world: World, message: SensorReading, _: StreamRadarFramesResponse | None) -> bool:
    """Roll, pitch and yaw, where yaw is the heading."""
    message.unit = DEGREES
    message.vector_data.CopyFrom(_vector(world.vehicle.sensors.attitude_deg(world.vehicle.drive.heading_deg)))
    return True


def _gps(world: World, message: SensorReading, _: StreamRadarFramesResponse | None) -> bool:
    """Position in the world."""
    message.unit = METERS
    message.vector_data.CopyFrom(_vector(world.vehicle.sensors.position_m(world.vehicle.position_m)))
    return True


def _thermal(world: World, message: SensorReading, _: StreamRadarFramesResponse | None) -> bool:
    """Temperature of the core."""
    message.unit = KELVIN
    message.scalar_data = world.vehicle.sensors.temperature_k(world.vehicle.thermal.temperature_c(Node.CORE))
    return True


def _radar(world: World, message: SensorReading, newest: StreamRadarFramesResponse | None) -> bool:
    """The newest frame, while the radar measures."""
    if newest is None or world.vehicle.radar_off_reason is not None:
        return False
    message.radar_data.CopyFrom(newest.frame)
    return True


_FILL: dict[SensorKind, Callable[[World, SensorReading, StreamRadarFramesResponse | None], bool]] = {
    SensorKind.LIDAR: _lidar,
    SensorKind.IMU: _imu,
    SensorKind.GPS: _gps,
    SensorKind.THERMAL: _thermal,
    SensorKind.RADAR: _radar,
}


def _vector(values: Triple) -> Vector3:
    x, y, z = values
    return Vector3(x=x, y=y, z=z)
