"""The table of the derived channels, and their schemas."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from foxglove_schemas_protobuf.FrameTransforms_pb2 import FrameTransforms
from foxglove_schemas_protobuf.Log_pb2 import Log
from foxglove_schemas_protobuf.PointCloud_pb2 import PointCloud
from foxglove_schemas_protobuf.PoseInFrame_pb2 import PoseInFrame
from foxglove_schemas_protobuf.PosesInFrame_pb2 import PosesInFrame
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.message import Message

from qiki_harness.recording.layout import DERIVED

ENCODING = "protobuf"
WORLD, RADAR, VEHICLE = "world", "radar", "vehicle"
"""Frames of reference: the world's, that of detections (at the vehicle, with the world's axes), the vehicle's own."""


@dataclass(frozen=True)
class DerivedChannel:
    """A channel, with the type of its messages and the subjects that they are derived from."""

    name: str
    model: type[Message]
    source: str

    @property
    def topic(self) -> str:
        """Name in the file."""
        return DERIVED + self.name

    @property
    def schema_name(self) -> str:
        """Full name of the message type."""
        return str(self.model.DESCRIPTOR.full_name)


# fmt: off
TRANSFORMS = DerivedChannel("transforms", FrameTransforms, "qiki.radar.v1.frames, qiki.radar.v1.tracks")
OWN_POSE = DerivedChannel("own_pose", PoseInFrame, "qiki.radar.v1.frames, qiki.telemetry")
DETECTIONS = DerivedChannel("detections", PointCloud, "qiki.radar.v1.frames")
TRACKS = DerivedChannel("tracks", PosesInFrame, "qiki.radar.v1.tracks")
POSITIONS = DerivedChannel("positions", PointCloud, "qiki.radar.v1.tracks")
EVENTS = DerivedChannel("events", Log, "qiki.events.v1.>")
# fmt: on
CHANNELS = (TRANSFORMS, OWN_POSE, DETECTIONS, TRACKS, POSITIONS, EVENTS)


@cache
def schema_of(channel: DerivedChannel) -> bytes:
    """Return the file of a channel's message type with all that it imports, as MCAP asks for: a FileDescriptorSet."""
    found = FileDescriptorSet()
    seen = set[str]()
    for file in _imports_first(channel.model.DESCRIPTOR.file):
        if file.name not in seen:
            seen.add(file.name)
            file.CopyToProto(found.file.add())
    return found.SerializeToString(deterministic=True)


def _imports_first(file: Any) -> Iterator[Any]:
    for one in file.dependencies:
        yield from _imports_first(one)
    yield file
