"""What arrives at the detector: fluctuating echoes in complex Gaussian noise of unit power.

Richards, Fundamentals of Radar Signal Processing, 2nd ed., ch. 2 (Swerling models) and ch. 6 (detection). Amplitudes
are drawn, so that the detection probability of every model is exact by construction; for Swerling I it is
P_fa^(1/(1 + SNR)).
"""

import math

import numpy as np
from numpy.typing import NDArray

from q_sim_service.radar.parameters import Swerling

Array = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]


def threshold(false_alarm_probability: float) -> float:
    """Of a square-law detector: noise power is Exp(1), so P_fa = exp(-threshold)."""
    return -math.log(false_alarm_probability)


def amplitudes(mean_snr: Array, model: Swerling, rng: np.random.Generator) -> ComplexArray:
    """Echo amplitudes of one look, (n,), in units of the noise amplitude."""
    phase = rng.uniform(0.0, 2 * np.pi, mean_snr.shape)
    return np.asarray(np.sqrt(mean_snr * _fluctuation(mean_snr.shape, model, rng)) * np.exp(1j * phase))


def noise(shape: tuple[int, ...], rng: np.random.Generator) -> ComplexArray:
    """Receiver noise of unit mean power."""
    parts = rng.standard_normal((2, *shape)) * math.sqrt(0.5)
    return np.asarray(parts[0] + 1j * parts[1])


def _fluctuation(shape: tuple[int, ...], model: Swerling, rng: np.random.Generator) -> Array:
    """Cross-section of this look over its mean: chi-square of 2 (I) or 4 (III) degrees of freedom, or none."""
    if model == Swerling.I:
        return rng.standard_exponential(shape)
    if model == Swerling.III:
        return rng.standard_gamma(2.0, shape) / 2.0
    return np.ones(shape)
