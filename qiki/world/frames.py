"""What the radar gives at each look: a numbered frame with the vehicle's own state."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from generated.q_sim_api_pb2 import StreamRadarFramesResponse
from generated.radar.v1.radar_pb2 import RadarDetection, RadarFrame
from qiki.contracts.enums import FriendFoe
from qiki.contracts.ids import RADAR_SENSOR_ID, run_frame_id
from qiki.contracts.protobuf import proto_enum, timestamp_to_proto, uuid_to_proto
from qiki.radar import Detections
from qiki.world.vehicle.axes import Vector3


@dataclass(frozen=True, slots=True)
class MeasuredFrame:
    """One look; numbered from 0 within its run, without a gap."""

    run_id: UUID
    number: int
    t_s: float
    timestamp: datetime
    detections: Detections
    own_position_m: Vector3
    own_velocity_mps: Vector3
    identities: Mapping[str, FriendFoe] = field(default_factory=dict)

    def to_proto(self) -> StreamRadarFramesResponse:
        """As it goes out on the stream."""
        return StreamRadarFramesResponse(
            frame=RadarFrame(
                schema_version=1,
                frame_id=uuid_to_proto(run_frame_id(self.run_id, self.number)),
                sensor_id=uuid_to_proto(RADAR_SENSOR_ID),
                timestamp=timestamp_to_proto(self.timestamp),
                detections=[RadarDetection(**row) for row in self.detections.rows()],
            ),
            run_id=str(self.run_id),
            number=self.number,
            own_position=self.own_position_m,
            own_velocity=self.own_velocity_mps,
            identities={name: proto_enum(side) for name, side in self.identities.items()},
        )
