"""Positions, directions and times as Foxglove's messages have them."""

import math
from collections.abc import Sequence

from foxglove_schemas_protobuf.Pose_pb2 import Pose
from foxglove_schemas_protobuf.Quaternion_pb2 import Quaternion
from foxglove_schemas_protobuf.Vector3_pb2 import Vector3
from google.protobuf.timestamp_pb2 import Timestamp

Triple = Sequence[float]
ORIGIN = (0.0, 0.0, 0.0)
UNTURNED = Quaternion(w=1.0)
_SLOWEST_MPS = 0.01  # below it a direction is noise


def timestamp(event_ns: int) -> Timestamp:
    """Return a time, given as Unix time."""
    seconds, nanos = divmod(event_ns, 10**9)
    return Timestamp(seconds=seconds, nanos=nanos)


def vector(values: Triple) -> Vector3:
    """Return a vector of three numbers."""
    x, y, z = values
    return Vector3(x=x, y=y, z=z)


def pose(position_m: Triple, orientation: Quaternion) -> Pose:
    """Return a pose."""
    return Pose(position=vector(position_m), orientation=orientation)


def facing(yaw_rad: float, elevation_rad: float = 0.0) -> Quaternion:
    """Return the rotation that turns +X to a direction: yaw counter-clockwise from +X, elevation up."""
    turn, lift = yaw_rad / 2, -elevation_rad / 2
    return Quaternion(
        x=-math.sin(turn) * math.sin(lift),
        y=math.cos(turn) * math.sin(lift),
        z=math.sin(turn) * math.cos(lift),
        w=math.cos(turn) * math.cos(lift),
    )


def along(velocity_mps: Triple) -> Quaternion:
    """Return the rotation that turns +X to the direction of a velocity; none for one at rest."""
    x, y, z = velocity_mps
    ground = math.hypot(x, y)
    if math.hypot(ground, z) < _SLOWEST_MPS:
        return UNTURNED
    return facing(math.atan2(y, x), math.atan2(z, ground))
