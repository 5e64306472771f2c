"""Means, shares and quantiles with intervals of 95 % confidence.

A mean has Student's interval: the mean of many runs is nearly normal, whatever one run is. A share has Wilson's score
interval (E. B. Wilson, Probable inference, the law of succession, and statistical inference, JASA 22, 1927), which
keeps its level for few runs and near 0 and 1 (Brown, Cai, DasGupta, Interval estimation for a binomial proportion,
Statistical Science 16, 2001). Nothing is drawn: the same values give the same numbers.
"""

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import TypedDict

import numpy as np

CONFIDENCE = 0.95
LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
_Z = NormalDist().inv_cdf((1.0 + CONFIDENCE) / 2.0)


class Interval(TypedDict):
    """An estimate and the ends of its interval; None where there are too few values."""

    count: int
    mean: float | None
    low: float | None
    high: float | None


def mean_of(values: Sequence[float]) -> Interval:
    """Return the mean, with Student's interval."""
    count = len(values)
    if not count:
        return Interval(count=0, mean=None, low=None, high=None)
    mean = math.fsum(values) / count
    if count == 1:
        return Interval(count=1, mean=mean, low=None, high=None)
    variance = math.fsum((value - mean) ** 2 for value in values) / (count - 1)
    half = student(count - 1) * math.sqrt(variance / count)
    return Interval(count=count, mean=mean, low=mean - half, high=mean + half)


def share_of(hits: int, count: int) -> Interval:
    """Return a share, with Wilson's interval."""
    if not count:
        return Interval(count=0, mean=None, low=None, high=None)
    share, z2 = hits / count, _Z * _Z
    middle = (share + z2 / (2 * count)) / (1 + z2 / count)
    half = _Z * math.sqrt(share * (1 - share) / count + z2 / (4 * count * count)) / (1 + z2 / count)
    low = 0.0 if hits == 0 else middle - half
    return Interval(count=count, mean=share, low=low, high=1.0 if hits == count else middle + half)


def quantiles_of(values: Sequence[float]) -> list[float]:
    """Return the quantiles of `LEVELS`, linear between the values; nothing without values."""
    return [float(one) for one in np.quantile(np.array(values, np.float64), LEVELS)] if len(values) else []


def student(degrees: int) -> float:
    """Return the bound that Student's t exceeds on either side in 5 % of cases.

    By G. W. Hill, Algorithm 396: Student's t-quantiles, Communications of the ACM 13, 1970, to 1e-4 and better; the
    formula for a small tail is left out, for it does not serve 5 %.
    """
    tail, n = 1.0 - CONFIDENCE, float(degrees)
    if degrees == 1:
        return 1.0 / math.tan(tail * math.pi / 2.0)
    if degrees == 2:
        return math.sqrt(2.0 / (tail * (2.0 - tail)) - 2.0)
    a = 1.0 / (n - 0.5)
    b = 48.0 / (a * a)
    c = ((20700.0 * a / b - 98.0) * a - 16.0) * a + 96.36
    d = ((94.5 / (b + c) - 3.0) / b + 1.0) * math.sqrt(a * math.pi / 2.0) * n
    y = (d * tail) ** (2.0 / n)
    if y <= 0.05 + a:
        y = ((1.0 / (((n + 6.0) / (n * y) - 0.089 * d - 0.822) * (n + 2.0) * 3.0) + 0.5 / (n + 4.0)) * y - 1.0) * (
            n + 1.0
        ) / (n + 2.0) + 1.0 / y
        return math.sqrt(n * y)
    x = NormalDist().inv_cdf(tail / 2.0)
    if degrees < 5:
        c += 0.3 * (n - 4.5) * (x + 0.6)
    c += (((0.05 * d * x - 5.0) * x - 7.0) * x - 2.0) * x + b
    y = (((((0.4 * x * x + 6.3) * x * x + 36.0) * x * x + 94.5) / c - x * x - 3.0) / b + 1.0) * x
    return math.sqrt(n * math.expm1(a * y * y))
