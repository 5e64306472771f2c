"""The tracks that an agent sees, as arrays."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from qiki.agent import RadarTrackStatus, SeenTrack
from qiki.arrays import Array, Mask
from qiki.tracking import TrackReports

COASTING = int(RadarTrackStatus.COASTING)


@dataclass(frozen=True, eq=False)
class Seen:
    """n tracks; positions and velocities relative to the vehicle, in world axes.

    Attributes:
        position, velocity: (n, 3) [m], [m/s]
        position_covariance, velocity_covariance: (n, 6) upper triangles [m²], [m²/s²]
        quality: (n,) probability that the track is a real contact
        coasting: (n,) without a plot in the newest frame
        iff, object_type: (n,) numbers of FriendFoe and ObjectType
        replies: (n,) its transponder replies
    """

    position: Array
    velocity: Array
    position_covariance: Array
    velocity_covariance: Array
    quality: Array
    coasting: Mask
    iff: NDArray[np.int64]
    object_type: NDArray[np.int64]
    replies: Mask

    def __len__(self) -> int:
        return len(self.quality)

    @classmethod
    def of_tracks(cls, tracks: Sequence[SeenTrack]) -> Self:
        """Return the tracks of an agent's world that have position and velocity."""
        rows = [_row(seen) for seen in tracks if seen.report.position is not None and seen.report.velocity is not None]
        table = np.array(rows, dtype=np.float64).reshape(-1, 23)
        position, velocity, at, speed, rest = np.split(table, [3, 6, 12, 18], axis=1)
        kinds = rest[:, 2:4].astype(np.int64)
        return cls(position, velocity, at, speed, rest[:, 0], rest[:, 1] > 0, kinds[:, 0], kinds[:, 1], rest[:, 4] > 0)

    @classmethod
    def of_reports(cls, reports: TrackReports) -> Self:
        """Return the tracks of a frame's reports."""
        return cls(
            reports.position,
            reports.velocity,
            reports.position_covariance,
            reports.velocity_covariance,
            reports.quality,
            reports.status == COASTING,
            reports.iff.astype(np.int64),
            reports.object_type.astype(np.int64),
            reports.transponder_on,
        )


NOTHING = Seen.of_tracks(())
_UNKNOWN = (0.0,) * 6


def _row(seen: SeenTrack) -> tuple[float, ...]:
    one = seen.report
    place, speed = one.position, one.velocity
    if place is None or speed is None:
        raise ValueError("a track without position or velocity")
    vectors = (place.x, place.y, place.z, speed.x, speed.y, speed.z)
    spread = (*(one.position_covariance or _UNKNOWN), *(one.velocity_covariance or _UNKNOWN))
    return *vectors, *spread, one.quality, one.status == COASTING, one.iff, one.object_type, one.transponder_on
