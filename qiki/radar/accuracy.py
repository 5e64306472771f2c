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
from qiki.radar.parameters import RadarParameters
from qiki.radar.plots import Plots

FLAT_SPECTRUM = math.pi / math.sqrt(3)
MONOPULSE_SLOPE = 1.6


@dataclass(frozen=True, slots=True)
class Sigmas:
    """Standard deviations, (n,) each; the angle's holds both across and along the elevation arc."""

    range_m: Array
    angle_rad: Array
    speed_mps: Array


class Accuracy:
    """Accuracy of a radar."""

    def __init__(self, parameters: RadarParameters) -> None:
        beam_rad, floor_rad = math.radians(parameters.beam_width_deg), math.radians(parameters.angle_floor_deg)
        # Three rows: range, angle, speed.
        self._width = _column(parameters.range_resolution_m, beam_rad, parameters.speed_resolution_mps)
        self._slope = _column(FLAT_SPECTRUM, MONOPULSE_SLOPE, FLAT_SPECTRUM)
        self._floor = _column(parameters.range_floor_m, floor_rad, parameters.speed_floor_mps)

    def sigmas(self, snr: Array) -> Sigmas:
        """Return the standard deviations of measurements at these measured SNR, (n,) power ratio."""
        return Sigmas(*np.hypot(self._width / (self._slope * np.sqrt(2 * snr)), self._floor))

    def with_errors(self, plots: Plots, rng: np.random.Generator) -> Plots:
        """Return the plots with drawn errors of range, range rate, and line of sight in two perpendicular angles."""
        sigma = self.sigmas(plots.snr)
        range_error, across, up, speed_error = rng.standard_normal((4, len(plots)))
        return Plots(
            np.maximum(plots.range_m + sigma.range_m * range_error, 0.0),
            _turned(plots.sight, sigma.angle_rad * across, sigma.angle_rad * up),
            plots.vr_mps + sigma.speed_mps * speed_error,
            plots.snr,
            plots.claims,
        )


def _column(*values: float) -> Array:
    return np.array(values)[:, np.newaxis]


def _turned(sight: Array, across_rad: Array, up_rad: Array) -> Array:
    """Move the ends of unit vectors, (n, 3), towards increasing bearing and towards increasing elevation."""
    x, y, z = sight.T
    bearing_rad = np.arctan2(x, y)
    east, north = np.sin(bearing_rad), np.cos(bearing_rad)
    lean = up_rad * z
    turned = np.empty_like(sight)
    turned[:, 0] = x + across_rad * north - lean * east
    turned[:, 1] = y - across_rad * east - lean * north
    turned[:, 2] = z + up_rad * np.hypot(x, y)
    return turned
