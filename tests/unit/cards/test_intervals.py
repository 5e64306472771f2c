"""Intervals, beside SciPy's."""

import math

import pytest
from scipy import stats

from qiki_harness.cards.intervals import mean_of, quantiles_of, share_of, student


@pytest.mark.parametrize("degrees", [*range(1, 60), 100, 199, 1000, 99_999])
def test_student_is_scipys(degrees):
    assert student(degrees) == pytest.approx(stats.t.ppf(0.975, degrees), rel=2e-4)


def test_a_mean_is_scipys():
    values = [1.0, 2.5, 2.0, 7.0, -1.0]
    one = mean_of(values)
    low, high = stats.t.interval(0.95, len(values) - 1, loc=one["mean"], scale=stats.sem(values))
    assert (one["mean"], one["low"], one["high"]) == pytest.approx((2.3, low, high), rel=1e-4)


@pytest.mark.parametrize(("hits", "count"), [(0, 5), (1, 5), (5, 5), (77, 200)])
def test_a_share_is_scipys(hits, count):
    one = share_of(hits, count)
    expected = stats.binomtest(hits, count).proportion_ci(0.95, method="wilson")
    assert (one["low"], one["high"]) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_too_few_values_have_no_interval():
    assert mean_of([])["mean"] is None
    assert mean_of([3.0]) == {"count": 1, "mean": 3.0, "low": None, "high": None}
    assert share_of(0, 0)["mean"] is None
    assert quantiles_of([]) == []


def test_equal_values_have_an_interval_without_width():
    one = mean_of([0.1] * 10)
    assert one["low"] == one["high"] == one["mean"]
    assert not math.isnan(one["mean"])
