"""Pattern of the transmitting antenna: power relative to the boresight.

A Gaussian main lobe above a floor of side lobes. At the angle θ off the boresight the power is exp(-4 ln 2 (θ/θ₃)²)
of the maximum, one half at θ₃/2 (Barton, Radar Equations for Modern Radar: the Gaussian beam of the beamshape loss).
The receiving beams cover the sphere uniformly.
"""

import math
from typing import Annotated

import numpy as np
from pydantic import Field

from qiki.arrays import Array
from qiki.fields import Number, Spec
from qiki.geometry import unit_vectors


class TransmitPattern(Spec):
    """A main lobe fixed to the vehicle, and side lobes."""

    width_deg: Annotated[Number, Field(gt=0, le=180)]
    """θ₃, between the directions of half power."""
    side_lobe_db: Annotated[Number, Field(ge=-100, le=0)] = -20.0
    """Relative to the maximum."""
    bearing_deg: Annotated[Number, Field(ge=-360, le=360)] = 0.0
    """Of the boresight, clockwise from the vehicle's heading."""
    elev_deg: Annotated[Number, Field(ge=-90, le=90)] = 0.0


def illumination(pattern: TransmitPattern | None, sight: Array, heading_deg: float) -> Array:
    """Return the radiated power relative to the maximum: (n,); 1 everywhere without a pattern.

    Args:
        pattern: of the antenna
        sight: (n, 3) lines of sight in world axes, of any length
        heading_deg: of the vehicle
    """
    if pattern is None:
        return np.ones(len(sight))
    bearing_rad = np.array([math.radians(heading_deg + pattern.bearing_deg)])
    boresight = unit_vectors(bearing_rad, np.array([math.radians(pattern.elev_deg)]))[0]
    along = np.einsum("ij,j->i", sight, boresight) / np.linalg.norm(sight, axis=1)
    off_rad = np.arccos(np.clip(along, -1.0, 1.0))
    lobe = np.exp(-4 * math.log(2) * (off_rad / math.radians(pattern.width_deg)) ** 2)
    return np.asarray(np.maximum(lobe, 10 ** (pattern.side_lobe_db / 10)))
