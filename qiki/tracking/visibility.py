"""Visibility: a contact nearer than one range cell is hidden by the pulse, so that a miss says nothing of it."""

import numpy as np

from qiki.arrays import Array
from qiki.tracking.measurement import OwnState, quadratic
from qiki.tracking.parameters import TrackerParameters
from qiki.tracking.tracks import POSITION, QUIET, TrackTable

LEAST_VARIANCE_M2 = 1e-6
NEAR_CELLS = 4.0
"""Farther than this no contact is blind: the errors of near tracks are a fraction of a cell."""
LOGISTIC = 1.702
"""With it a logistic function is within 0.01 of the normal distribution's (Johnson, Kotz & Balakrishnan 1995)."""


def seen(tracks: TrackTable, own: OwnState, parameters: TrackerParameters) -> Array:
    """Return the probability that a contact is beyond the blind range: (n,)."""
    visible = np.ones(len(tracks))
    relative = tracks["mode_mean"][:, QUIET, POSITION] - own.position
    range_m = np.sqrt(np.vecdot(relative, relative))
    near = np.flatnonzero(range_m < NEAR_CELLS * parameters.range_resolution_m)
    if len(near):
        sight = relative[near] / np.maximum(range_m[near], 1e-3)[:, None]
        variance = quadratic(sight, tracks["mode_covariance"][near, QUIET, POSITION, POSITION])
        sigma = np.sqrt(np.maximum(variance, LEAST_VARIANCE_M2))
        beyond = (range_m[near] - parameters.range_resolution_m) / sigma
        visible[near] = 1 / (1 + np.exp(-np.clip(LOGISTIC * beyond, -50, 50)))
    return visible
