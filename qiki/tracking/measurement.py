"""Range, direction and range rate as a measurement of the world state, for many pairs at once.

Range and direction are converted to a position in world axes, with the noise ellipsoid turned along the line of
sight: there is no pole at the zenith and no angle to wrap. About a point of linearisation with line
of sight u and range r this is exactly the extended Kalman filter's spherical measurement (Bar-Shalom, Li &
Kirubarajan 2001, sections 10.3 and 10.4.3), its angle residuals read as lengths across the line of sight.
"""

from dataclasses import dataclass
from math import pi, sqrt
from typing import NamedTuple

import numpy as np

from qiki.arrays import Array, Index
from qiki.tracking.parameters import TrackerParameters

FLAT_SPECTRUM = pi / sqrt(3)
MONOPULSE_SLOPE = 1.6
THINNEST = 1e-10
"""Least ratio of the variances along and across a line of sight: a thinner ellipsoid is singular to the arithmetic."""
LEAST_SNR_DB = 0.0
"""No detector lets weaker plots pass; at long range their ellipsoids would be singular to the arithmetic."""
SHORTEST_RANGE_M = 1.0
"""Nearer than this a direction does not determine a position."""
POSITION_ROWS = np.eye(3, 6)
"""The rows of H that measure the position."""


class OwnState(NamedTuple):
    """Motion of the bot, world axes."""

    position: Array  # (3,) [m]
    velocity: Array  # (3,) [m/s]


@dataclass(frozen=True, eq=False, slots=True)
class Measurements:
    """Measurements as the filter sees them, one a row."""

    range_m: Array  # (k,)
    sight: Array  # (k, 3) unit vectors
    doppler_mps: Array  # (k,)
    sigma_range_m: Array  # (k,)
    sigma_angle_rad: Array  # (k,)
    sigma_doppler_mps: Array  # (k,)

    def take(self, index: Index) -> "Measurements":
        """Return the rows of `index`."""
        sigmas = self.sigma_range_m[index], self.sigma_angle_rad[index], self.sigma_doppler_mps[index]
        return Measurements(self.range_m[index], self.sight[index], self.doppler_mps[index], *sigmas)


@dataclass(frozen=True, eq=False, slots=True)
class Linearisation:
    """The measurement model about one point a row, z = h + H (x - x_point) + noise."""

    point: Array  # (k, 3) [m] relative to the bot
    sight: Array  # (k, 3) line of sight to it
    position: Array  # (k, 3) [m] the measured position, relative to the bot
    matrix: Array  # (k, 4, 6) H: position in world axes [m], range rate [m/s]
    noise: Array  # (k, 4, 4) R


def measured(
    range_m: Array, sight: Array, doppler_mps: Array, snr_db: Array, parameters: TrackerParameters
) -> Measurements:
    """Return measurements with the noise that follows from their SNR.

    Range and Doppler: Cramér-Rao bounds of a flat spectrum and a uniform look, resolution · √3 / (π √(2 SNR))
    (Richards 2014, chapter 7). Angle: monopulse with slope 1.6, beam width / (1.6 √(2 SNR)) (Barton 1988,
    chapter 8). Each error has a floor.
    """
    strength = np.sqrt(2.0) * 10 ** (np.maximum(snr_db, LEAST_SNR_DB) / 20)
    p = parameters
    return Measurements(
        range_m,
        sight,
        doppler_mps,
        np.hypot(p.range_floor_m, p.range_resolution_m / (FLAT_SPECTRUM * strength)),
        np.hypot(p.angle_floor_rad, p.beam_width_rad / (MONOPULSE_SLOPE * strength)),
        np.hypot(p.doppler_floor_mps, p.doppler_resolution_mps / (FLAT_SPECTRUM * strength)),
    )


def position_noise(plots: Measurements, sight: Array, range_m: Array) -> Array:
    """Return the covariance of measured positions, thin along the line of sight and wide across it: (k, 3, 3) [m²]."""
    across = (plots.sigma_angle_rad * np.maximum(range_m, SHORTEST_RANGE_M)) ** 2
    along = np.maximum(plots.sigma_range_m**2, across * THINNEST) - across
    noise = (along[:, None] * sight)[:, :, None] * sight[:, None, :]
    noise.reshape(-1, 9)[:, ::4] += across[:, None]  # on the diagonal
    return noise


def linearise(plots: Measurements, point: Array, velocity: Array, velocity_covariance: Array) -> Linearisation:
    """Linearise the measurement model about relative positions (k, 3) [m] and velocities (k, 3) [m/s].

    Range rate is a product of direction and velocity. While the velocity across the line of sight is unknown, its
    second-order term var(angle) · tr(P_across) is added to its noise.
    """
    range_m = np.sqrt(np.vecdot(point, point))
    length = np.maximum(range_m, SHORTEST_RANGE_M)[:, None]
    sight = point / length
    cosine = np.vecdot(sight, plots.sight)
    # A prior at the bot or on its far side has no useful line of sight: the measured one is taken.
    astray = (cosine < 0.5) | (range_m < SHORTEST_RANGE_M)
    if astray.any():
        sight = np.where(astray[:, None], plots.sight, sight)
        cosine = np.where(astray, 1.0, cosine)
        range_m = np.where(astray, plots.range_m, range_m)
        length = np.maximum(range_m, SHORTEST_RANGE_M)[:, None]
    across = plots.sight - cosine[:, None] * sight
    position = plots.range_m[:, None] * sight + range_m[:, None] * across
    tangential = velocity - np.vecdot(velocity, sight)[:, None] * sight
    matrix = np.empty((len(point), 4, 6))
    matrix[:, :3] = POSITION_ROWS
    matrix[:, 3, :3] = tangential / length
    matrix[:, 3, 3:] = sight
    spread = diagonal(velocity_covariance).sum(-1) - quadratic(sight, velocity_covariance)
    noise = np.zeros((len(point), 4, 4))
    noise[:, :3, :3] = position_noise(plots, sight, range_m)
    noise[:, 3, 3] = plots.sigma_doppler_mps**2 + plots.sigma_angle_rad**2 * np.maximum(spread, 0.0)
    return Linearisation(range_m[:, None] * sight, sight, position, matrix, noise)


def diagonal(matrices: Array) -> Array:
    """Return a read-only view of the diagonals: (k, d, d) -> (k, d)."""
    view: Array = matrices.diagonal(axis1=-2, axis2=-1)
    return view


def inverse(matrices: Array) -> Array:
    """Invert each: (k, d, d)."""
    return np.asarray(np.linalg.inv(matrices), dtype=np.float64)


def quadratic(vectors: Array, matrices: Array) -> Array:
    """Return x' A x by rows: (k, d), (k, d, d) -> (k,)."""
    product: Array = np.vecdot(vectors, np.matvec(matrices, vectors))
    return product
