"""Consistency: the errors of the tracks compared with their covariances.

Normalised estimation error squared: Bar-Shalom, Li & Kirubarajan, Estimation with Applications to Tracking and
Navigation, 2001, section 5.4.2. Summed over k estimates of d components it is chi-square with k · d degrees of freedom.
"""

from math import sqrt

import numpy as np

from qiki.arrays import Array

NORMAL_975 = 1.959963984540054
"""The normal distribution's 97.5 % quantile, for two-sided bounds of 95 %."""


def nees(error: Array, covariance: Array) -> Array:
    """Return e' P⁻¹ e of each estimate.

    Args:
        error: (k, d)
        covariance: (k, d, d)
    """
    result: Array = np.vecdot(error, np.linalg.solve(covariance, error[:, :, None])[:, :, 0])
    return result


def bounds(degrees: int) -> tuple[float, float]:
    """Return two-sided 95 % bounds of a chi-square variable (Wilson & Hilferty 1931), good to 3 % from 6 degrees on."""
    spread = 2 / (9 * degrees)
    low, high = (degrees * max(1 - spread + sign * NORMAL_975 * sqrt(spread), 0.0) ** 3 for sign in (-1, 1))
    return low, high
