"""Intervals that the laws themselves give: a seeded count or spread outside of them is one in ten thousand."""

import numpy as np
import pytest
from scipy import special

TAIL = 0.5e-4


class Interval:
    """Bounds, both included."""

    @staticmethod
    def binomial(trials: int, probability: float) -> tuple[int, int]:
        """Interval of a binomial number."""
        return _quantiles(special.bdtr(np.arange(trials), trials, probability), trials)

    @staticmethod
    def poisson(mean: float) -> tuple[int, int]:
        """Interval of a Poisson number."""
        most = int(mean + 20 * mean**0.5 + 20)
        return _quantiles(special.pdtr(np.arange(most), mean), most)

    @staticmethod
    def chi_square(freedom: int) -> tuple[float, float]:
        """Sum of the squares of so many unit normals."""
        return float(special.chdtri(freedom, 1 - TAIL)), float(special.chdtri(freedom, TAIL))


def _quantiles(cumulative: np.ndarray, most: int) -> tuple[int, int]:
    low, high = np.searchsorted(cumulative, (TAIL, 1 - TAIL)).tolist()
    return low, min(high, most)


@pytest.fixture(scope="session")
def interval() -> type[Interval]:
    return Interval
