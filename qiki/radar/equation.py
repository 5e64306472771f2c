"""The radar equation, solved for SNR, cross-section and range.

Richards, Fundamentals of Radar Signal Processing, 2nd ed., ch. 2 (the radar range equation) with the noise bandwidth of
a matched simple pulse and the gain N of N coherently integrated pulses (ch. 6):

    SNR = P G_t G_r λ² rcs N / ((4π)³ R⁴ k T₀ F B L)
"""

import math

import numpy as np

from qiki.arrays import Array
from qiki.geometry import unit_vectors
from qiki.radar.parameters import RadarParameters, ReplyLink, TransmitPattern

BOLTZMANN_JPK = 1.380649e-23
STANDARD_TEMPERATURE_K = 290.0


def from_db(decibels: float) -> float:
    """Convert decibels to a power ratio."""
    return float(10.0 ** (decibels / 10.0))


def to_db(ratio: Array) -> Array:
    """Convert power ratios to decibels: (n,)."""
    return np.asarray(10.0 * np.log10(ratio))


def noise_w(bandwidth_hz: float, noise_figure_db: float) -> float:
    """Return the noise power of a receiver at the standard temperature, k T₀ F B [W]."""
    return BOLTZMANN_JPK * STANDARD_TEMPERATURE_K * bandwidth_hz * from_db(noise_figure_db)


def reach_m2(parameters: RadarParameters) -> float:
    """Return the factor of the equation without the contact, SNR = reach · rcs / R⁴ [m²]."""
    radiated = parameters.peak_power_w * from_db(parameters.transmit_gain_db + parameters.receive_gain_db)
    gain = parameters.wavelength_m**2 * parameters.pulses / (4 * math.pi) ** 3
    noise = noise_w(parameters.bandwidth_hz, parameters.noise_figure_db)
    return radiated * gain / (noise * from_db(parameters.losses_db))


def snr(reach: float, rcs_m2: Array, range_m: Array) -> Array:
    """Return the mean signal-to-noise ratio after integration: (n,)."""
    return reach * rcs_m2 / range_m**4


def rcs_m2(reach: float, snr_ratio: Array, range_m: Array) -> Array:
    """Return the cross-section that gives this SNR at this range: (n,) [m²]."""
    return snr_ratio * range_m**4 / reach


def range_m(reach: float, rcs_m2: float, snr_ratio: float) -> float:
    """Return the range at which this cross-section gives this SNR [m]."""
    return float((reach * rcs_m2 / snr_ratio) ** 0.25)


def illumination(pattern: TransmitPattern | None, sight: Array, heading_deg: float) -> Array | float:
    """Return the radiated power relative to the maximum: (n,), or 1 everywhere without a pattern.

    A Gaussian main lobe above a floor of side lobes: at the angle θ off the boresight exp(-4 ln 2 (θ/θ₃)²), one half at
    θ₃/2 (Barton, Radar Equations for Modern Radar: the Gaussian beam of the beamshape loss). The receiving beams cover
    the sphere uniformly. `sight`, (n, 3), are lines of sight in world axes, of any length.
    """
    if pattern is None:
        return 1.0
    bearing_rad = np.array([math.radians(heading_deg + pattern.bearing_deg)])
    boresight = unit_vectors(bearing_rad, np.array([math.radians(pattern.elev_deg)]))[0]
    along = np.einsum("ij,j->i", sight, boresight) / np.linalg.norm(sight, axis=1)
    off_rad = np.arccos(np.clip(along, -1.0, 1.0))
    lobe = np.exp(-4 * math.log(2) * (off_rad / math.radians(pattern.width_deg)) ** 2)
    return np.asarray(np.maximum(lobe, 10 ** (pattern.side_lobe_db / 10)))


def reply_snr(parameters: RadarParameters, link: ReplyLink, range_m: Array) -> Array:
    """Return the SNR of transponders' replies from these ranges: (n,). A reply is a steady signal at constant power.

    Friis (A Note on a Simple Transmission Formula, Proc. IRE 34, 1946) in the receiver's noise:
    SNR = P_x G_x G_r λ² / ((4π)² R² k T₀ F B_x L_x)
    """
    radiated = link.power_w * from_db(link.gain_db + parameters.receive_gain_db - link.losses_db)
    spread = (parameters.wavelength_m / (4 * math.pi * range_m)) ** 2
    return radiated * spread / noise_w(link.bandwidth_hz, parameters.noise_figure_db)
