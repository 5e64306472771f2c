"""Detection: fluctuating echoes in complex Gaussian noise of unit power, and the laws that they obey.

Amplitudes are drawn, so that the detection probability of every model is exact by construction. One sample of a
square-law detector, as a look is integrated coherently (Richards, Fundamentals of Radar Signal Processing, 2nd ed.,
ch. 2, Swerling models, and ch. 6, detection). With SNR χ, threshold T = -ln P_fa and a = 1 + χ/2:

    steady         Q₁(√(2χ), √(2T)), Marcum's function
    Swerling I     exp(-T / (1 + χ)) = P_fa^(1/(1 + χ))
    Swerling III   (1 + (1 - 1/a) T/a) exp(-T/a)
"""

import math

import numpy as np
from numpy.typing import NDArray

from qiki.arrays import Array
from qiki.radar import equation
from qiki.radar.parameters import RadarParameters, Swerling

ComplexArray = NDArray[np.complex128]
Models = NDArray[np.int64]  # of `Swerling`

CASE_I, CASE_III = int(Swerling.I), int(Swerling.III)


def threshold(false_alarm_probability: float) -> float:
    """Return the threshold of a square-law detector: noise power is Exp(1), so P_fa = exp(-threshold)."""
    return -math.log(false_alarm_probability)


def amplitudes(mean_snr: Array, models: Models, rng: np.random.Generator) -> ComplexArray:
    """Draw echo amplitudes of one look, (n,), in units of the noise amplitude."""
    phase = 2j * np.pi * rng.random(mean_snr.shape)
    return np.asarray(np.sqrt(mean_snr * _fluctuation(models, rng)) * np.exp(phase))


def noise(shape: tuple[int, ...], rng: np.random.Generator) -> ComplexArray:
    """Draw receiver noise of unit mean power."""
    real, imaginary = rng.standard_normal((2, *shape)) * math.sqrt(0.5)
    return np.asarray(real + 1j * imaginary)


def _fluctuation(models: Models, rng: np.random.Generator) -> Array:
    """Draw cross-sections over their mean, (n,): chi-square with 2 (I) or 4 (III) degrees of freedom, or constant."""
    is_first = models == CASE_I
    if is_first.all():
        return rng.standard_exponential(len(models))
    share = np.ones(len(models))
    first, third = np.flatnonzero(is_first), np.flatnonzero(models == CASE_III)
    share[first] = rng.standard_exponential(len(first))
    share[third] = rng.standard_gamma(2.0, len(third)) / 2.0
    return share


BEYOND_DOUBT = 6.2  # amplitude above the threshold's from which the probability of a miss is 0 in double precision
LEAST_SNR, GREATEST_SNR = 1e-6, 1e15
HALVINGS = 80


def marcum_q(snr: Array, level: float) -> Array:
    """Return Q₁(√(2 SNR), √(2 level)), the probability that a steady echo in noise exceeds a power: (n,).

    It is P(J ≤ K) of independent J ~ Poisson(level) and K ~ Poisson(SNR) (Shnidman, The Calculation of the Probability
    of Detection and the Generalized Marcum Q-Function, IEEE Trans. Information Theory 35, 1989): a sum of positive
    terms, so small probabilities are as exact as great ones. `snr` is (n,), from 0; `level` is in units of the noise
    power, above 0 and at most 745, where P_fa leaves double precision.
    """
    certain = (math.sqrt(level) + BEYOND_DOUBT) ** 2
    k = np.arange(certain + 10 * math.sqrt(certain) + 20)
    log_factorial = np.concatenate(([0.0], np.cumsum(np.log(k[1:]))))
    mean = np.clip(snr, np.finfo(float).tiny, certain)[:, np.newaxis]
    reached = np.cumsum(np.exp(k * math.log(level) - level - log_factorial))
    weight = np.exp(k * np.log(mean) - mean - log_factorial)
    return np.asarray(np.minimum(np.einsum("ij,j->i", weight, reached), 1.0))


def detection_probability(snr: Array, level: float, model: Swerling) -> Array:
    """Return the probability, (n,), that an echo of this mean SNR, (n,), is above the level [noise power]."""
    if model == Swerling.I:
        return np.asarray(np.exp(-level / (1 + snr)))
    if model == Swerling.III:
        a = 1 + snr / 2
        return np.asarray((1 + (1 - 1 / a) * level / a) * np.exp(-level / a))
    return marcum_q(snr, level)


def required_snr(probability: float, level: float, model: Swerling) -> float:
    """Return the mean SNR at which an echo is above the level with a probability, greater than that of noise."""
    low, high = LEAST_SNR, GREATEST_SNR
    for _ in range(HALVINGS):
        middle = math.sqrt(low * high)
        reached = detection_probability(np.array([middle]), level, model)[0] >= probability
        low, high = (low, middle) if reached else (middle, high)
    return high


def detection_range_m(parameters: RadarParameters, rcs_m2: float, probability: float) -> float:
    """Return the range at which a contact on the boresight is detected with a probability in one look [m].

    At most the instrumented range; 0 where it is detected nowhere.
    """
    least_snr = required_snr(probability, threshold(parameters.false_alarm_probability), parameters.swerling)
    range_m = equation.range_m(equation.reach_m2(parameters), rcs_m2, least_snr)
    return min(range_m, parameters.max_range_m) if range_m >= parameters.min_range_m else 0.0
