"""NEES and its bounds."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qiki_harness.scoring.consistency import bounds, nees
from qiki_harness.scoring.score import inside

CHI_SQUARE = {3: (0.2158, 9.3484), 6: (1.2373, 14.4494), 30: (16.7908, 46.9792), 300: (253.912, 349.874)}
"""2.5 % and 97.5 % quantiles, from printed tables."""


def test_nees_of_a_known_covariance():
    covariance = np.array([np.diag([4.0, 9.0, 16.0])] * 2)
    np.testing.assert_allclose(nees(np.array([[2.0, 3, 4], [0, 0, 8]]), covariance), [3, 4])


@pytest.mark.parametrize("degrees", CHI_SQUARE)
def test_bounds_are_the_quantiles(degrees: int):
    low, high = bounds(degrees)
    assert low == pytest.approx(CHI_SQUARE[degrees][0], rel=0.03 if degrees >= 6 else 0.2)
    assert high == pytest.approx(CHI_SQUARE[degrees][1], rel=0.003)


@given(st.integers(1, 100_000))
def test_bounds_enclose_the_mean(degrees: int):
    low, high = bounds(degrees)
    assert 0 <= low < degrees < high


def test_honest_estimates_are_inside_nineteen_times_in_twenty():
    rng = np.random.default_rng(4)
    pairs = np.full(2000, 7.0)
    assert inside(rng.chisquare(21, 2000) / 7, pairs) == pytest.approx(0.95, abs=0.02)
    assert inside(4 * rng.chisquare(21, 2000) / 7, pairs) < 0.01


def test_scans_without_pairs_do_not_count():
    assert inside(np.array([np.nan, 3.0]), np.array([0.0, 5.0])) == 1
    assert inside(np.array([np.nan]), np.array([0.0])) is None
