"""Sensor readings as they go out."""

from generated.common_types_pb2 import SensorType, Vector3
from generated.sensor_raw_in_pb2 import SensorReading
from q_sim_service.frame_protobuf import frame_to_proto
from qiki.botspec.planes.sensors import SensorKind, sensor_id
from qiki.contracts.protobuf import proto_enum, timestamp_to_proto, uuid_to_proto
from qiki.world.frames import MeasuredFrame
from qiki.world.sensors import Sensor, read
from qiki.world.snapshots import SOURCE
from qiki.world.world import World

RADAR_ENCODING = "qiki.radar.v1"


def reading(world: World, sensor: Sensor) -> SensorReading:
    """Return a sensor's reading at the present tick."""
    message = SensorReading(
        sensor_id=uuid_to_proto(sensor_id(sensor.kind)),
        sensor_type=SensorType.ValueType(int(sensor.kind)),
        timestamp=timestamp_to_proto(world.timestamp),
        source_module=SOURCE,
    )
    if sensor.kind is SensorKind.RADAR:
        message.encoding = RADAR_ENCODING
    if world.vehicle.sensors.works(sensor.kind):
        message.unit = proto_enum(sensor.unit)
        message.is_valid = _fill(message, world, sensor)
        message.signal_strength = float(message.is_valid)
    return message


def _fill(message: SensorReading, world: World, sensor: Sensor) -> bool:
    """Put the value into the message; False where there is none."""
    match read(world, sensor):
        case None:
            return False
        case MeasuredFrame() as frame:
            message.radar_data.CopyFrom(frame_to_proto(frame).frame)
        case (x, y, z):
            message.vector_data.CopyFrom(Vector3(x=x, y=y, z=z))
        case float() as value:
            message.scalar_data = value
    return True
