"""Accuracy: standard deviations from the measured SNR, and a floor that no SNR removes.

Range and Doppler: the Cramér-Rao bounds of a flat spectrum of width B and of a look of length T (Richards, Fundamentals
of Radar Signal Processing, 2nd ed., ch. 7). A flat extent of width W has the rms width πW/√3, hence in both cases
sigma = resolution · √3 / (π √(2 SNR)). Angle: monopulse, sigma = θ₃ / (k_m √(2 SNR)) with k_m = 1.6 (Barton, Modern
Radar System Analysis, ch. 8).
"""

import math
from dataclasses import dataclass

import numpy as np

from qiki.arrays import Array
from qiki.geometry import spherical
from qiki.radar.parameters import RadarParameters
from qiki.radar.plots import Plots

FLAT_SPECTRUM = math.pi / math.sqrt(3)
MONOPULSE_SLOPE = 1.6


@dataclass(frozen=True)
class Sigmas:
    """Standard deviations, (n,) each; the angle's holds both across and along the elevation arc."""

    range_m: Array
    angle_rad: Array
    speed_mps: Array


def sigmas(parameters: RadarParameters, snr: Array) -> Sigmas:
    """Return the standard deviations of measurements at these measured SNR, (n,) power ratio."""
    strength = np.sqrt(2 * snr)
    beam_rad, floor_rad = math.radians(parameters.beam_width_deg), math.radians(parameters.angle_floor_deg)
    return Sigmas(
        np.hypot(parameters.range_resolution_m / (FLAT_SPECTRUM * strength), parameters.range_floor_m),
        np.hypot(beam_rad / (MONOPULSE_SLOPE * strength), floor_rad),
        np.hypot(parameters.speed_resolution_mps / (FLAT_SPECTRUM * strength), parameters.speed_floor_mps),
    )


def with_errors(parameters: RadarParameters, plots: Plots, rng: np.random.Generator) -> Plots:
    """Return the plots with drawn errors of range, range rate, and line of sight in two perpendicular angles."""
    sigma = sigmas(parameters, plots.snr)
    error = rng.standard_normal((4, len(plots)))
    across, up = _cross_axes(plots.sight)
    turn = sigma.angle_rad * error[1:3]
    return Plots(
        np.maximum(plots.range_m + sigma.range_m * error[0], 0.0),
        plots.sight + turn[0][:, np.newaxis] * across + turn[1][:, np.newaxis] * up,
        plots.vr_mps + sigma.speed_mps * error[3],
        plots.snr,
        plots.claims,
    )


def _cross_axes(sight: Array) -> tuple[Array, Array]:
    """Return unit vectors of increasing bearing and of increasing elevation at each line of sight: (n, 3) each."""
    _, bearing_rad, elevation_rad = spherical(sight)
    east, north, lean = np.sin(bearing_rad), np.cos(bearing_rad), np.sin(elevation_rad)
    across = np.stack((north, -east, np.zeros_like(north)), axis=1)
    up = np.stack((-lean * east, -lean * north, np.cos(elevation_rad)), axis=1)
    return across, up
