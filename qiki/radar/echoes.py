"""Echoes at the detector: fluctuating amplitudes in complex Gaussian noise of unit power.

Richards, Fundamentals of Radar Signal Processing, 2nd ed., ch. 2 (Swerling models) and ch. 6 (detection). Amplitudes
are drawn, so that the detection probability of every model is exact by construction: see `detection`.
"""

import math

import numpy as np
from numpy.typing import NDArray

from qiki.arrays import Array
from qiki.radar.parameters import Swerling

ComplexArray = NDArray[np.complex128]
Models = NDArray[np.int64]  # of `Swerling`

CASE_I, CASE_III = int(Swerling.I), int(Swerling.III)


def threshold(false_alarm_probability: float) -> float:
    """Return the threshold of a square-law detector: noise power is Exp(1), so P_fa = exp(-threshold)."""
    return -math.log(false_alarm_probability)


def amplitudes(mean_snr: Array, models: Models, rng: np.random.Generator) -> ComplexArray:
    """Draw echo amplitudes of one look, (n,), in units of the noise amplitude."""
    phase = rng.uniform(0.0, 2 * np.pi, mean_snr.shape)
    return np.asarray(np.sqrt(mean_snr * _fluctuation(models, rng)) * np.exp(1j * phase))


def noise(shape: tuple[int, ...], rng: np.random.Generator) -> ComplexArray:
    """Draw receiver noise of unit mean power."""
    parts = rng.standard_normal((2, *shape)) * math.sqrt(0.5)
    return np.asarray(parts[0] + 1j * parts[1])


def _fluctuation(models: Models, rng: np.random.Generator) -> Array:
    """Draw cross-sections over their mean, (n,): chi-square with 2 (I) or 4 (III) degrees of freedom, or constant."""
    share = np.ones(len(models))
    first, third = np.flatnonzero(models == CASE_I), np.flatnonzero(models == CASE_III)
    share[first] = rng.standard_exponential(len(first))
    share[third] = rng.standard_gamma(2.0, len(third)) / 2.0
    return share
