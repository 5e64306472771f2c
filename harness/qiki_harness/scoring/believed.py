"""The tracks that count."""

import numpy as np
from numpy.typing import ArrayLike

from qiki.arrays import Mask
from qiki.contracts.enums import RadarTrackStatus

CONFIRMED = (RadarTrackStatus.TRACKED, RadarTrackStatus.COASTING)
BELIEVED = 0.99
"""A track's `quality` is the probability that it is a real contact: from here on a new one counts too."""


def believed(status: ArrayLike, quality: ArrayLike) -> Mask:
    """Return which tracks say they are real contacts: confirmed ones, and new ones of high quality; (m,)."""
    status, quality = np.asarray(status), np.asarray(quality)
    new = (status == RadarTrackStatus.NEW) & (quality >= BELIEVED)
    return np.asarray(np.isin(status, CONFIRMED) | new, dtype=np.bool_)
