"""A measured frame as the messages that carry it."""

from dataclasses import dataclass
from datetime import datetime

from generated.q_sim_api_pb2 import StreamRadarFramesResponse
from qiki.clock import rfc3339
from qiki.contracts import topics
from qiki.contracts.enums import FriendFoe, RadarRangeBand
from qiki.contracts.headers import RADAR, FrameOrigin
from qiki.contracts.protobuf import frame_from_proto
from qiki.contracts.radar import RadarFrame
from qiki.contracts.radar_figures import RadarFigures

SUBJECTS = (
    (RadarRangeBand.RR_UNSPECIFIED, topics.FRAMES.subject),
    (RadarRangeBand.RR_LR, topics.FRAMES_LR.subject),
    (RadarRangeBand.RR_SR, topics.FRAMES_SR.subject),
)
LAST_SUBJECT = SUBJECTS[-1][1]
"""Published last: a frame that is stored here is stored on all three."""


@dataclass(frozen=True)
class Measured:
    """A frame as the simulator gave it."""

    frame: RadarFrame
    origin: FrameOrigin
    radar: RadarFigures | None = None

    @classmethod
    def from_proto(cls, message: StreamRadarFramesResponse, radar: str = "") -> "Measured":
        """Read a message of the stream, and what the stream said of the run's radar.

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


@dataclass(frozen=True)
class Message:
    """Ready to publish."""

    subject: str
    body: bytes
    headers: dict[str, str]


def messages(measured: Measured, ingested: datetime) -> list[Message]:
    """The frame on its three subjects: whole, long range alone, short range alone."""
    frame = measured.frame.model_copy(update={"ts_ingest": ingested})
    time = rfc3339(frame.timestamp)
    told = {RADAR: measured.radar.text()} if measured.radar else {}
    return [
        Message(subject, _band_of(frame, band).to_json(), measured.origin.headers(band, time) | told)
        for band, subject in SUBJECTS
    ]


def _band_of(frame: RadarFrame, band: RadarRangeBand) -> RadarFrame:
    if band is RadarRangeBand.RR_UNSPECIFIED:
        return frame
    return frame.model_copy(update={"detections": tuple(plot for plot in frame.detections if plot.range_band == band)})
