"""A measured frame as a message of the stream."""

from generated.q_sim_api_pb2 import StreamRadarFramesResponse
from generated.radar.v1.radar_pb2 import RadarDetection, RadarFrame
from qiki.contracts.ids import RADAR_SENSOR_ID
from qiki.contracts.protobuf import proto_enum, timestamp_to_proto, uuid_to_proto
from qiki.world.frames import MeasuredFrame


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
