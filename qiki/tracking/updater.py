"""Updater: extended Kalman filter in each mode, linearised about the state after a first correction where that matters.

The second linearisation is one step of the iterated filter (Bar-Shalom, Li & Kirubarajan 2001, section 10.5.2);
the mode probabilities follow from the modes' likelihoods (section 11.6.6).
"""

from dataclasses import dataclass
from math import log, pi

import numpy as np

from qiki.arrays import Array, Index
from qiki.tracking.measurement import Linearisation, Measurements, OwnState, linearise
from qiki.tracking.tracks import HARD, MODES, MOTION, POSITION, STATE, VELOCITY, Modes, TrackTable

LOG_TWO_PI = log(2 * pi)
LEAST_MODE_PROBABILITY = 1e-4
"""A mode of probability zero could not recover when the contact turns."""


@dataclass(frozen=True, eq=False, slots=True)
class Innovations:
    """Correction of each mode of a track by its plot, and the plot's likelihood in each mode, of k pairs."""

    distance: Array  # (k, 3) squared Mahalanobis distance of the plot from its prediction
    log_likelihood: Array  # (k, 3) density in m³ · m/s
    correction: Array  # (k, 3, 9) of the mean
    cross: Array  # (k, 3, 9, 4) covariance of state and measurement
    gain: Array  # (k, 3, 4, 9) Kalman gain, transposed


def innovations(model: Linearisation, plots: Measurements, modes: Modes, own: OwnState) -> Innovations:
    """Return the correction of each predicted mode by a measurement model that the modes of a track share."""
    mean, covariance = modes.mean, modes.covariance
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


def corrected(modes: Modes, innovation: Innovations) -> tuple[Array, Modes]:
    """Return the log-likelihood over the modes, (k,), and the corrected modes."""
    best = innovation.log_likelihood.max(1, keepdims=True)
    joint = modes.probability * np.exp(innovation.log_likelihood - best)
    total = joint.sum(1, keepdims=True)
    posterior = np.maximum(joint / total, LEAST_MODE_PROBABILITY)
    covariance = modes.covariance - innovation.cross @ innovation.gain
    covariance = 0.5 * (covariance + covariance.swapaxes(-1, -2))
    after = Modes(posterior / posterior.sum(1, keepdims=True), modes.mean + innovation.correction, covariance)
    return (best + np.log(total))[:, 0], after


def update(tracks: TrackTable, rows: Index, plots: Measurements, point: Array, own: OwnState) -> None:
    """Correct predicted tracks by their plots, in place.

    `rows`, (k,), are the tracks, none twice; `point`, (k, 6), the world states about which the model is linearised.
    """
    modes = Modes.of(tracks).take(rows)
    relative, velocity = point[:, POSITION] - own.position, point[:, VELOCITY] - own.velocity
    model = linearise(plots, relative, velocity, modes.covariance[:, HARD, VELOCITY, VELOCITY])
    store(tracks, rows, corrected(modes, innovations(model, plots, modes, own))[1])


def store(tracks: TrackTable, rows: Index, modes: Modes) -> None:
    """Give tracks their corrected modes, in place."""
    tracks["mode_probability"][rows], tracks["mode_mean"][rows], tracks["mode_covariance"][rows] = modes
