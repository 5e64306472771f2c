"""Derive Foxglove's messages from the messages of a recording, one by one as they are written."""

import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from foxglove_schemas_protobuf.FrameTransform_pb2 import FrameTransform
from foxglove_schemas_protobuf.FrameTransforms_pb2 import FrameTransforms
from foxglove_schemas_protobuf.Log_pb2 import Log
from foxglove_schemas_protobuf.Pose_pb2 import Pose
from foxglove_schemas_protobuf.PoseInFrame_pb2 import PoseInFrame
from foxglove_schemas_protobuf.PosesInFrame_pb2 import PosesInFrame
from google.protobuf.message import Message as ProtobufMessage
from google.protobuf.timestamp_pb2 import Timestamp
from pydantic_core import from_json

from qiki.contracts import topics
from qiki.contracts.enums import RadarTrackStatus
from qiki.contracts.events import SEVERITY
from qiki.contracts.frame_columns import FrameColumns
from qiki.contracts.headers import FrameOrigin, Message
from qiki.text import printable
from qiki_harness.event_details import details
from qiki_harness.recording.foxglove import channels
from qiki_harness.recording.foxglove.channels import RADAR, VEHICLE, WORLD, DerivedChannel
from qiki_harness.recording.foxglove.headings import Headings
from qiki_harness.recording.foxglove.points import detection_points, position_points
from qiki_harness.recording.foxglove.poses import ORIGIN, UNTURNED, Triple, along, pose, timestamp
from qiki_harness.recording.foxglove.tracks import FrameTracks, TrackCollector

_MALFORMED = (ValueError, LookupError, TypeError, ArithmeticError, AttributeError, struct.error)
_LEVELS = {"INFO": Log.INFO, "WARNING": Log.WARNING, "ERROR": Log.ERROR, "CRITICAL": Log.FATAL}
_CONFIRMED = {RadarTrackStatus.TRACKED, RadarTrackStatus.COASTING}


@dataclass(frozen=True, slots=True)
class Derived:
    """A message of a derived channel."""

    channel: DerivedChannel
    data: bytes


class FoxgloveConverter:
    """Derives pictures from what passes.

    A frame gives the vehicle's pose, its frames of reference, and the detections as points. The tracks of a frame
    follow once all of them have come, where they were in the world at its time. The vehicle turns by its last
    telemetry; before the first one it is turned as its scenario begins. What is malformed gives nothing, and so does
    a radar that belongs to no run.
    """

    def __init__(self) -> None:
        self._tracks = TrackCollector()
        self._headings = Headings()
        self._derivers: dict[str, Callable[[Message, int], Iterable[Derived] | None]] = {
            topics.RUNS.subject: self._headings.add_run,
            topics.TELEMETRY.subject: self._headings.add_telemetry,
            topics.FRAMES.subject: self._frame,
            topics.TRACKS.subject: lambda message, event_ns: _scene(self._tracks.add_track(message), event_ns),
            topics.TRACKED.subject: lambda message, event_ns: _scene(self._tracks.add_notice(message), event_ns),
            topics.AUDIT.subject: lambda *_: None,  # it repeats the events
        }

    def convert(self, message: Message, event_ns: int) -> list[Derived]:
        """Return what follows from a message, with its event time, Unix time."""
        derive = self._derivers.get(message.subject)
        if derive is None:
            if not topics.EVENTS.covers(message.subject):
                return []
            derive = _event
        try:
            return list(derive(message, event_ns) or ())
        except _MALFORMED:
            return []

    def _frame(self, message: Message, event_ns: int) -> Iterator[Derived]:
        own = FrameOrigin.read(message.headers)
        if own is None:
            return
        turned = self._headings.at(own.run, event_ns)
        moment, here = timestamp(event_ns), pose(own.own_position, turned)
        radar = _transform(moment, WORLD, RADAR, pose(own.own_position, UNTURNED))
        vehicle = _transform(moment, RADAR, VEHICLE, pose(ORIGIN, turned))
        yield _derived(channels.TRANSFORMS, FrameTransforms(transforms=(radar, vehicle)))
        yield _derived(channels.OWN_POSE, PoseInFrame(timestamp=moment, frame_id=WORLD, pose=here))
        plots = FrameColumns.from_json(message.body).plots
        yield _derived(channels.DETECTIONS, detection_points(plots, RADAR, moment))
        yield from _scene(self._tracks.add_frame(own), event_ns)


def track_frame_id(track_id: str) -> str:
    """Return the name of a track's frame of reference, with the first digits of its identity."""
    return f"track/{track_id[:8]}"


def _scene(frame: FrameTracks | None, event_ns: int) -> Iterator[Derived]:
    """Yield the live tracks of a frame as points and poses, and frames of reference of those that are confirmed.

    Published tracks are relative to the vehicle. They are shown in the world, facing where they fly.
    """
    if frame is None:
        return
    own, moment = frame.own, timestamp(event_ns)
    live = [track for track in frame.tracks if track.status != RadarTrackStatus.LOST]
    places = [_sum(own.own_position, track.position) for track in live]
    poses = [pose(at, along(_sum(own.own_velocity, track.velocity))) for at, track in zip(places, live, strict=True)]
    transforms = [
        _transform(moment, WORLD, track_frame_id(track.track_id), one)
        for track, one in zip(live, poses, strict=True)
        if track.status in _CONFIRMED
    ]
    points = [(at, track.quality, track.iff) for at, track in zip(places, live, strict=True)]
    yield _derived(channels.POSITIONS, position_points(own.own_position, points, WORLD, moment))
    yield _derived(channels.TRACKS, PosesInFrame(timestamp=moment, frame_id=WORLD, poses=poses))
    if transforms:
        yield _derived(channels.TRANSFORMS, FrameTransforms(transforms=transforms))


def _sum(own: Triple, relative: Mapping[str, float]) -> Triple:
    x, y, z = own
    return x + relative["x"], y + relative["y"], z + relative["z"]


def _event(message: Message, event_ns: int) -> Iterator[Derived]:
    """Yield an event as a line of a log."""
    kind = message.headers.get("ce-type", message.subject).rpartition(".")[2]
    line = Log(
        timestamp=timestamp(event_ns),
        level=_LEVELS.get(message.headers.get(SEVERITY, ""), Log.UNKNOWN),
        message=printable(f"{kind}: {details(from_json(message.body))}"),
        name=printable(message.headers.get("ce-source", "").removeprefix("urn:qiki:")),
    )
    yield _derived(channels.EVENTS, line)


def _transform(moment: Timestamp, parent: str, child: str, where: Pose) -> FrameTransform:
    return FrameTransform(
        timestamp=moment,
        parent_frame_id=parent,
        child_frame_id=child,
        translation=where.position,
        rotation=where.orientation,
    )


def _derived(channel: DerivedChannel, message: ProtobufMessage) -> Derived:
    return Derived(channel, message.SerializeToString())
