"""One scan as arrays."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray

from qiki.arrays import Array, Mask
from qiki.contracts.enums import RadarRangeBand
from qiki.contracts.radar import RadarFrame
from qiki.geometry import unit_vectors
from qiki.tracking.errors import ScanError

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
SECOND_US = 1_000_000

# No radar measures beyond these, and the arithmetic of the filter would lose its digits.
LIMITS = {"range_m": 1e7, "bearing_deg": 360.0, "elev_deg": 90.0, "vr_mps": 1e5, "snr_db": 200.0, "rcs_dbsm": 200.0}
NUMBERS = attrgetter(*LIMITS)
LONG_RANGE = RadarRangeBand.RR_LR
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
    frame: RadarFrame, own_position: Sequence[float] = (0, 0, 0), own_velocity: Sequence[float] = (0, 0, 0)
) -> Scan:
    """Convert a validated frame to a scan; raise ScanError, which names it, for a number beyond those of any radar."""
    plots = frame.detections
    measured = np.array([NUMBERS(plot) for plot in plots], dtype=np.float64).reshape(-1, 6)
    _check(measured)
    range_m, bearing_deg, elevation_deg, doppler_mps, snr_db, rcs_dbsm = np.ascontiguousarray(measured.T)
    return Scan(
        t_us=(frame.timestamp - EPOCH) // MICROSECOND,
        own_position=_own(own_position, "own position"),
        own_velocity=_own(own_velocity, "own velocity"),
        range_m=range_m,
        line_of_sight=unit_vectors(np.radians(bearing_deg), np.radians(elevation_deg)),
        doppler_mps=doppler_mps,
        snr_db=snr_db,
        rcs_dbsm=rcs_dbsm,
        long_range=np.array([p.range_band is LONG_RANGE for p in plots], dtype=np.bool_),
        transponder_on=np.array([p.transponder_on for p in plots], dtype=np.bool_),
        transponder_mode=np.array([p.transponder_mode._value_ for p in plots], dtype=np.int8),
        transponder_id=[p.transponder_id or None for p in plots],
    )


def _check(measured: Array) -> None:
    wrong = ~(np.abs(measured) <= list(LIMITS.values()))
    if wrong.any():
        column = int(np.argmax(wrong.any(0)))
        row = int(np.argmax(wrong[:, column]))
        name, limit = list(LIMITS.items())[column]
        raise ScanError(f"detections.{row}.{name}: {measured[row, column]:g} (expected within ±{limit:g})")


def _own(values: Sequence[float], name: str) -> Array:
    own = np.array(values, dtype=np.float64)
    if own.shape != (3,) or not (np.abs(own) <= OWN_LIMIT).all():
        raise ScanError(f"{name}: {list(values)} (expected three numbers within ±{OWN_LIMIT:g})")
    return own
