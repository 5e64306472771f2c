"""Updater: extended Kalman filter in each mode, linearised about the state after a first correction.

The second linearisation is one step of the iterated filter (Bar-Shalom, Li & Kirubarajan 2001, section 10.5.2);
the mode probabilities follow from the modes' likelihoods (section 11.6.6).
"""

from qiki.arrays import Array
from qiki.tracking.gate import Pairs
from qiki.tracking.innovation import bayes, innovations
from qiki.tracking.measurement import Measurements, linearise
from qiki.tracking.tracks import MANOEUVRE, POSITION, VELOCITY, TrackTable


def update(tracks: TrackTable, pairs: Pairs, plots: Measurements, own_position: Array, own_velocity: Array) -> None:
    """Correct the tracks of `pairs` by their plots, in place.

    Args:
        tracks: predicted
        pairs: assigned, no track twice
        plots: of the whole scan
        own_position: (3,) [m]
        own_velocity: (3,) [m/s]
    """
    rows, paired = pairs.track, plots.take(pairs.plot)
    mean: Array = tracks["mode_mean"][rows]
    covariance: Array = tracks["mode_covariance"][rows]
    point = pairs.point[:, POSITION] - own_position
    velocity = pairs.point[:, VELOCITY] - own_velocity
    model = linearise(paired, point, velocity, covariance[:, MANOEUVRE, VELOCITY, VELOCITY])
    innovation = innovations(model, paired, mean, covariance, own_position, own_velocity)
    covariance -= innovation.reduction
    tracks["mode_mean"][rows] = mean + innovation.correction
    tracks["mode_covariance"][rows] = 0.5 * (covariance + covariance.swapaxes(-1, -2))
    tracks["mode_probability"][rows] = bayes(tracks["mode_probability"][rows], innovation)[1]
