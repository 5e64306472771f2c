"""One scan as arrays."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from qiki.arrays import Array, Mask
from qiki.contracts.frame_columns import LONG_RANGE, FrameColumns, Plots
from qiki.contracts.radar import RadarFrame
from qiki.geometry import unit_vectors
from qiki.tracking.errors import ScanError

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
SECOND_US = 1_000_000

# No radar measures beyond these, and the arithmetic of the filter would lose its digits.
LIMITS = {"range_m": 1e7, "bearing_deg": 360.0, "elev_deg": 90.0, "vr_mps": 1e5, "snr_db": 200.0, "rcs_dbsm": 200.0}
BOUNDS = np.array(list(LIMITS.values()))[:, None]
OWN_LIMIT = 1e10


@dataclass(frozen=True, eq=False, slots=True)
class Scan:
    """The detections of one frame, and the bot's own state; world axes."""

    t_us: int  # event time, microseconds since the Unix epoch
    own_position: Array  # (3,) [m]
    own_velocity: Array  # (3,) [m/s]
    range_m: Array  # (m,)
    line_of_sight: Array  # (m, 3) unit vectors
    doppler_mps: Array  # (m,) range rate, negative when closing
    snr_db: Array  # (m,)
    rcs_dbsm: Array  # (m,)
    long_range: Mask  # (m,) replies from there are ignored
    transponder_on: Mask  # (m,)
    transponder_mode: NDArray[np.int8]  # (m,) TransponderMode
    transponder_id: Sequence[str | None]  # m claims, None where there is none

    @property
    def size(self) -> int:
        """Number of detections."""
        return len(self.range_m)


def scan_from_frame(
    frame: RadarFrame | FrameColumns,
    own_position: Sequence[float] = (0, 0, 0),
    own_velocity: Sequence[float] = (0, 0, 0),
) -> Scan:
    """Convert a validated frame to a scan; raise ScanError, which names it, for a number beyond those of any radar."""
    columns = frame if isinstance(frame, FrameColumns) else FrameColumns.of_frame(frame)
    plots = columns.plots
    measured = _measured(plots)
    range_m, bearing_deg, elevation_deg, doppler_mps, snr_db, rcs_dbsm = measured
    return Scan(
        t_us=(columns.timestamp - EPOCH) // MICROSECOND,
        own_position=_own(own_position, "own position"),
        own_velocity=_own(own_velocity, "own velocity"),
        range_m=range_m,
        line_of_sight=unit_vectors(np.radians(bearing_deg), np.radians(elevation_deg)),
        doppler_mps=doppler_mps,
        snr_db=snr_db,
        rcs_dbsm=rcs_dbsm,
        long_range=np.array([band is LONG_RANGE for band in plots.range_band], dtype=np.bool_),
        transponder_on=np.array(plots.transponder_on, dtype=np.bool_),
        transponder_mode=np.array([mode._value_ for mode in plots.transponder_mode], dtype=np.int8),
        transponder_id=[claim or None for claim in plots.transponder_id],
    )


def _measured(plots: Plots) -> Array:
    """Return the numbers of the plots, a row for each of `LIMITS`, (6, m); raise ScanError beyond them."""
    measured = np.array(plots[: len(LIMITS)], dtype=np.float64)
    within = np.abs(measured) <= BOUNDS
    if not within.all():
        column = int(np.argmin(within.all(1)))
        row = int(np.argmin(within[column]))
        name, limit = list(LIMITS.items())[column]
        raise ScanError(f"detections.{row}.{name}: {measured[column, row]:g} (expected within ±{limit:g})")
    return measured


def _own(values: Sequence[float], name: str) -> Array:
    if len(values) != 3 or not all(abs(value) <= OWN_LIMIT for value in values):
        raise ScanError(f"{name}: {list(values)} (expected three numbers within ±{OWN_LIMIT:g})")
    return np.array(values, dtype=np.float64)
