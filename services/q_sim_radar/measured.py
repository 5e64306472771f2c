"""The simulator's frame, read from the bytes of its stream."""

from dataclasses import dataclass

from generated.q_sim_api_pb2 import StreamRadarFramesResponse
from qiki.contracts.enums import FriendFoe
from qiki.contracts.headers import FrameOrigin
from qiki.contracts.protobuf import frame_from_proto
from qiki.contracts.radar import RadarFrame
from qiki.contracts.radar_figures import RadarFigures


@dataclass(frozen=True)
class Measured:
    """A frame as the simulator gave it."""

    frame: RadarFrame
    origin: FrameOrigin
    radar: RadarFigures | None = None

    @classmethod
    def from_proto(cls, message: StreamRadarFramesResponse, radar: str = "") -> "Measured":
        """Read a message of the stream, and what the stream says of the run's radar.

        Raises:
            ValueError: something in it that the contract does not allow.
        """
        origin = FrameOrigin(
            message.run_id,
            message.number,
            tuple(message.own_position),
            tuple(message.own_velocity),
            {name: FriendFoe(side) for name, side in message.identities.items()},
        )
        return cls(frame_from_proto(message.frame), origin, RadarFigures.of_text(radar) if radar else None)
