"""Frames and sensor readings as protobuf messages."""

from generated.common_types_pb2 import SensorType, Vector3
from generated.q_sim_api_pb2 import StreamRadarFramesResponse
from generated.radar.v1.radar_pb2 import RadarDetection, RadarFrame
from generated.sensor_raw_in_pb2 import SensorReading
from qiki.botspec.planes import SensorKind, sensor_id
from qiki.contracts.ids import RADAR_SENSOR_ID
from qiki.contracts.protobuf import proto_enum, timestamp_to_proto, uuid_to_proto
from qiki.world.sensors import Sensor, read
from qiki.world.snapshots import SOURCE
from qiki.world.world import MeasuredFrame, SimWorld


def frame_to_proto(frame: MeasuredFrame) -> StreamRadarFramesResponse:
    """Return the message that carries a frame."""
    return StreamRadarFramesResponse(
        frame=RadarFrame(
            schema_version=1,
            frame_id=uuid_to_proto(frame.frame_id),
            sensor_id=uuid_to_proto(RADAR_SENSOR_ID),
            timestamp=timestamp_to_proto(frame.timestamp),
            detections=[RadarDetection(**row) for row in frame.detections.rows()],
        ),
        run_id=str(frame.run_id),
        number=frame.number,
        own_position=frame.own_position_m,
        own_velocity=frame.own_velocity_mps,
        identities={name: proto_enum(side) for name, side in frame.identities.items()},
    )


def reading(world: SimWorld, sensor: Sensor) -> SensorReading:
    """Return a sensor's reading at the present tick."""
    message = SensorReading(
        sensor_id=uuid_to_proto(sensor_id(sensor.kind)),
        sensor_type=SensorType.ValueType(int(sensor.kind)),
        timestamp=timestamp_to_proto(world.timestamp),
        source_module=SOURCE,
    )
    if sensor.kind is SensorKind.RADAR:
        message.encoding = "qiki.radar.v1"
    if world.vehicle.sensors.works(sensor.kind):
        message.unit = proto_enum(sensor.unit)
        message.is_valid = _fill(message, world, sensor)
        message.signal_strength = float(message.is_valid)
    return message


def _fill(message: SensorReading, world: SimWorld, sensor: Sensor) -> bool:
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
