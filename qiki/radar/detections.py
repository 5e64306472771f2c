"""The detections of one look, as arrays."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from qiki.arrays import Array, Mask
from qiki.contracts.enums import RadarRangeBand, TransponderMode
from qiki.contracts.radar import RadarDetection


@dataclass(frozen=True)
class Detections:
    """Published plots by range, each array (n,). Values are rounded well below their errors."""

    range_m: Array
    bearing_deg: Array
    elev_deg: Array
    vr_mps: Array
    snr_db: Array
    rcs_dbsm: Array
    transponder_on: Mask
    transponder_mode: NDArray[np.int64]
    transponder_id: NDArray[np.object_]  # str, or None
    range_band: NDArray[np.int64]
    id_present: Mask

    @classmethod
    def build(cls, *, measured: dict[str, Array], claims: NDArray[np.object_], sr_threshold_m: float) -> Self:
        """Put detections together; replies from the short-range band are kept.

        `measured` holds the first six columns. `claims` are the claimed identities, (n,), None where there is no reply.
        """
        short = measured["range_m"] <= sr_threshold_m
        claims = claims.copy()
        claims[~short] = None
        replies = claims.astype(bool)
        return cls(
            **measured,
            transponder_on=replies,
            transponder_mode=np.where(replies, int(TransponderMode.ON), int(TransponderMode.OFF)),
            transponder_id=claims,
            range_band=np.where(short, int(RadarRangeBand.RR_SR), int(RadarRangeBand.RR_LR)),
            id_present=replies,
        )

    def __len__(self) -> int:
        return len(self.range_m)

    def rows(self) -> list[dict[str, Any]]:
        """Return a dictionary of plain Python values for each plot, keys in the contract's order."""
        names = list(self.__dataclass_fields__)
        columns = [getattr(self, name).tolist() for name in names]
        return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]

    def to_models(self) -> tuple[RadarDetection, ...]:
        """Return the contract's detections."""
        return tuple(RadarDetection(**row) for row in self.rows())
