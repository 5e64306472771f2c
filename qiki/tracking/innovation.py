"""Innovations: the correction of each mode of a track by its plot, and the plot's likelihood in each mode."""

from dataclasses import dataclass
from math import log, pi

import numpy as np

from qiki.arrays import Array
from qiki.tracking.measurement import Linearisation, Measurements
from qiki.tracking.tracks import MODES, MOTION, POSITION, STATE

LOG_TWO_PI = log(2 * pi)
LEAST_MODE_PROBABILITY = 1e-4
"""A mode of probability zero could not recover when the contact turns."""


@dataclass(frozen=True, eq=False, slots=True)
class Innovations:
    """Of k pairs, in each mode."""

    distance: Array  # (k, 2) squared Mahalanobis distance of the plot from its prediction
    log_likelihood: Array  # (k, 2) density in m³ · m/s
    correction: Array  # (k, 2, 9) of the mean
    cross: Array  # (k, 2, 9, 4) covariance of state and measurement
    gain: Array  # (k, 2, 4, 9) Kalman gain, transposed

    @property
    def reduction(self) -> Array:
        """Reduction of the covariance: (k, 2, 9, 9)."""
        return self.cross @ self.gain


def innovations(
    model: Linearisation, plots: Measurements, mean: Array, covariance: Array, own_position: Array, own_velocity: Array
) -> Innovations:
    """Return the Kalman filter's correction in each mode, for a measurement model that the modes share.

    Args:
        model: linearised for each pair
        plots: k measurements
        mean: (k, 2, 9) predicted, world axes
        covariance: (k, 2, 9, 9)
        own_position: (3,) [m]
        own_velocity: (3,) [m/s]
    """
    gradient = model.matrix[:, 3, :3]
    doppler = plots.doppler_mps + np.vecdot(gradient, model.point + own_position) + model.sight @ own_velocity
    residual = np.empty((len(mean), MODES, 4))
    residual[:, :, :3] = (own_position + model.position)[:, None] - mean[:, :, POSITION]
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
    """Return the log-likelihood over the modes, (k,), and the modes' posterior probabilities, (k, 2).

    Args:
        predicted: (k, 2) prior probabilities of the modes
        innovation: of k pairs
    """
    best = innovation.log_likelihood.max(1, keepdims=True)
    joint = predicted * np.exp(innovation.log_likelihood - best)
    total = joint.sum(1, keepdims=True)
    posterior = np.maximum(joint / total, LEAST_MODE_PROBABILITY)
    return (best + np.log(total))[:, 0], posterior / posterior.sum(1, keepdims=True)
