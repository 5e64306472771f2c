"""Updater: extended Kalman filter in each mode, linearised about the state after a first correction.

The second linearisation is one step of the iterated filter (Bar-Shalom, Li & Kirubarajan 2001, section 10.5.2);
the mode probabilities follow from the modes' likelihoods (section 11.6.6).
"""

from dataclasses import dataclass
from math import log, pi

import numpy as np

from qiki.arrays import Array, Index
from qiki.tracking.measurement import Linearisation, Measurements, OwnState, linearise
from qiki.tracking.tracks import MANOEUVRE, MODES, MOTION, POSITION, STATE, VELOCITY, TrackTable

LOG_TWO_PI = log(2 * pi)
LEAST_MODE_PROBABILITY = 1e-4
"""A mode of probability zero could not recover when the contact turns."""


@dataclass(frozen=True, eq=False, slots=True)
class Innovations:
    """Correction of each mode of a track by its plot, and the plot's likelihood in each mode, of k pairs."""

    distance: Array  # (k, 2) squared Mahalanobis distance of the plot from its prediction
    log_likelihood: Array  # (k, 2) density in m³ · m/s
    correction: Array  # (k, 2, 9) of the mean
    cross: Array  # (k, 2, 9, 4) covariance of state and measurement
    gain: Array  # (k, 2, 4, 9) Kalman gain, transposed


def innovations(
    model: Linearisation, plots: Measurements, mean: Array, covariance: Array, own: OwnState
) -> Innovations:
    """Return the correction of each mode's predicted world state, (k, 2, 9), by a measurement model that they share."""
    gradient = model.matrix[:, 3, :3]
    doppler = plots.doppler_mps + np.vecdot(gradient, model.point + own.position) + model.sight @ own.velocity
    residual = np.empty((len(mean), MODES, 4))
    residual[:, :, :3] = (own.position + model.position)[:, None] - mean[:, :, POSITION]
    residual[:, :, 3] = doppler[:, None] - np.vecdot(mean[:, :, MOTION], model.matrix[:, 3, None])
    matrix = model.matrix[:, None]
    cross = covariance[..., MOTION] @ matrix.swapaxes(-1, -2)
    spread = matrix @ cross[..., MOTION, :] + model.noise[:, None]
    right = np.concatenate((cross.swapaxes(-1, -2), residual[..., None]), axis=-1)
    solved = np.asarray(np.linalg.solve(spread, right), dtype=np.float64)
    distance = np.vecdot(residual, solved[..., STATE])
    log_likelihood = -0.5 * (distance + np.log(np.linalg.det(spread)) + 4 * LOG_TWO_PI)
    return Innovations(distance, log_likelihood, (cross @ solved[..., STATE:])[..., 0], cross, solved[..., :STATE])


def bayes(predicted: Array, innovation: Innovations) -> tuple[Array, Array]:
    """Return the log-likelihood over the modes, (k,), and from the prior probabilities the posterior ones, (k, 2)."""
    best = innovation.log_likelihood.max(1, keepdims=True)
    joint = predicted * np.exp(innovation.log_likelihood - best)
    total = joint.sum(1, keepdims=True)
    posterior = np.maximum(joint / total, LEAST_MODE_PROBABILITY)
    return (best + np.log(total))[:, 0], posterior / posterior.sum(1, keepdims=True)


def update(tracks: TrackTable, rows: Index, plots: Measurements, point: Array, own: OwnState) -> None:
    """Correct predicted tracks by their plots, in place.

    `rows`, (k,), are the tracks, none twice; `point`, (k, 6), the world states about which the model is linearised.
    """
    mean: Array = tracks["mode_mean"][rows]
    covariance: Array = tracks["mode_covariance"][rows]
    relative, velocity = point[:, POSITION] - own.position, point[:, VELOCITY] - own.velocity
    model = linearise(plots, relative, velocity, covariance[:, MANOEUVRE, VELOCITY, VELOCITY])
    innovation = innovations(model, plots, mean, covariance, own)
    covariance -= innovation.cross @ innovation.gain
    tracks["mode_mean"][rows] = mean + innovation.correction
    tracks["mode_covariance"][rows] = 0.5 * (covariance + covariance.swapaxes(-1, -2))
    tracks["mode_probability"][rows] = bayes(tracks["mode_probability"][rows], innovation)[1]
