"""Detections and tracks as points: viewers show them at any scale, and colour them."""

from collections.abc import Iterable
from struct import Struct

import numpy as np
from foxglove_schemas_protobuf.PackedElementField_pb2 import PackedElementField
from foxglove_schemas_protobuf.PointCloud_pb2 import PointCloud
from google.protobuf.timestamp_pb2 import Timestamp

from qiki.contracts.enums import FriendFoe
from qiki.contracts.frame_columns import Plots
from qiki.geometry import unit_vectors
from qiki_harness.recording.foxglove.poses import ORIGIN, UNTURNED, Triple, pose

DETECTION_FIELDS = ("x", "y", "z", "range_m", "vr_mps", "snr_db", "rcs_dbsm")
"""Position around the radar [m], and what it measured; each a float32."""
POSITION_FIELDS = ("x", "y", "z", "quality")
"""Position in the world [m], and the probability that it is a real contact; each a float32, before the colour."""
_COLOUR_FIELDS = ("red", "green", "blue", "alpha")  # by these names viewers know a colour; each a byte
_POINT = Struct("<4f4B")
_OPAQUE = 255
VEHICLE_COLOUR = (255, 255, 255)
UNKNOWN_COLOUR = (255, 210, 0)
COLOURS: dict[int, tuple[int, int, int]] = {FriendFoe.FRIEND: (0, 200, 90), FriendFoe.FOE: (240, 50, 50)}
"""Of tracks by side; the others are yellow."""


def _fields(
    kind: PackedElementField.NumericType.ValueType, names: Iterable[str], offsets: range
) -> list[PackedElementField]:
    return [PackedElementField(name=name, offset=at, type=kind) for name, at in zip(names, offsets, strict=True)]


_DETECTION = _fields(PackedElementField.FLOAT32, DETECTION_FIELDS, range(0, 28, 4))
_POSITION = [
    *_fields(PackedElementField.FLOAT32, POSITION_FIELDS, range(0, 16, 4)),
    *_fields(PackedElementField.UINT8, _COLOUR_FIELDS, range(16, 20)),
]


def detection_points(plots: Plots, frame_id: str, moment: Timestamp) -> PointCloud:
    """Return the detections of a frame."""
    ranges = np.asarray(plots.range_m, dtype=np.float64)
    sights = unit_vectors(np.radians(plots.bearing_deg), np.radians(plots.elev_deg))
    points = np.empty((len(ranges), len(DETECTION_FIELDS)), dtype="<f4")
    with np.errstate(over="ignore"):  # what is beyond a float32 is infinite there
        points[:, :3] = ranges[:, np.newaxis] * sights
        for column, values in enumerate((ranges, plots.vr_mps, plots.snr_db, plots.rcs_dbsm), 3):
            points[:, column] = values
    return _cloud(points.tobytes(), 4 * len(DETECTION_FIELDS), _DETECTION, frame_id, moment)


def position_points(
    own: Triple, tracks: Iterable[tuple[Triple, float, int]], frame_id: str, moment: Timestamp
) -> PointCloud:
    """Return the vehicle, in white, and tracks in the colours of their sides.

    Args:
        tracks: position [m], quality and side of each
    """
    points = [_POINT.pack(*own, 1.0, *VEHICLE_COLOUR, _OPAQUE)]
    points += (_POINT.pack(*at, quality, *COLOURS.get(side, UNKNOWN_COLOUR), _OPAQUE) for at, quality, side in tracks)
    return _cloud(b"".join(points), _POINT.size, _POSITION, frame_id, moment)


def _cloud(data: bytes, stride: int, fields: list[PackedElementField], frame_id: str, moment: Timestamp) -> PointCloud:
    here = pose(ORIGIN, UNTURNED)
    return PointCloud(timestamp=moment, frame_id=frame_id, pose=here, point_stride=stride, fields=fields, data=data)
