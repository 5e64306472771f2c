"""What the radar gives at each look: a numbered frame with the vehicle's own state."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from qiki.contracts.enums import FriendFoe
from qiki.contracts.headers import FrameOrigin
from qiki.contracts.ids import RADAR_SENSOR_ID, run_frame_id
from qiki.contracts.radar import RadarFrame
from qiki.radar import Detections
from qiki.world.vehicle.axes import Vector3


@dataclass(frozen=True, slots=True)
class MeasuredFrame:
    """One look of the radar; numbered from 0 within its run, without a gap.

    Attributes:
        t_s: time since the scenario's epoch
        timestamp: simulated time
        own_position_m: of the vehicle, world axes
        own_velocity_mps: of the vehicle, world axes
        identities: known transponder identities and their sides
    """

    run_id: UUID
    number: int
    t_s: float
    timestamp: datetime
    detections: Detections
    own_position_m: Vector3
    own_velocity_mps: Vector3
    identities: Mapping[str, FriendFoe] = field(default_factory=dict)

    @property
    def frame_id(self) -> UUID:
        """The frame's identity, which follows from its run and number."""
        return run_frame_id(self.run_id, self.number)

    @property
    def origin(self) -> FrameOrigin:
        """Run, number and own state, as the frame's headers carry them."""
        own_position, own_velocity = self.own_position_m, self.own_velocity_mps
        return FrameOrigin(str(self.run_id), self.number, own_position, own_velocity, self.identities)

    def payload(self) -> RadarFrame:
        """Return the frame as it is published, without its ingest time."""
        return RadarFrame(
            frame_id=self.frame_id,
            sensor_id=RADAR_SENSOR_ID,
            timestamp=self.timestamp,
            detections=self.detections.to_models(),
        )
