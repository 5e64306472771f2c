"""GOSPA, P-GOSPA and OSPA: values worked out by hand, and what makes them metrics. NEES and its bounds."""

from itertools import combinations, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from qiki_harness.scoring import gospa, ospa
from qiki_harness.scoring.metrics import bounds, nees, probabilistic_gospa
from qiki_harness.scoring.score import inside

POINTS = st.integers(0, 4).flatmap(lambda count: arrays(float, (count, 3), elements=st.integers(-400, 400)))
NOBODY = np.zeros((0, 3))
CHI_SQUARE = {3: (0.2158, 9.3484), 6: (1.2373, 14.4494), 30: (16.7908, 46.9792), 300: (253.912, 349.874)}
"""2.5 % and 97.5 % quantiles, from printed tables."""


def test_a_pair_a_miss_and_a_false_one():
    contacts = np.array([[0.0, 0, 0], [1000, 0, 0]])
    tracks = np.array([[30.0, 40, 0], [0, 5000, 0], [0, 9000, 0]])
    found = gospa(contacts, tracks)
    # 50² + one missed and two false at 200² / 2
    assert (found.localisation, found.missed, found.false) == (2500, 20_000, 40_000)
    assert found.distance == pytest.approx(np.sqrt(62_500))
    assert (found.contact.tolist(), found.track.tolist()) == ([0], [0])
    # (50² + 2 · 200²) / 3
    assert ospa(contacts, tracks) == pytest.approx(np.sqrt(82_500 / 3))


def test_the_best_assignment_is_not_the_greedy_one():
    contacts = np.array([[0.0, 0, 0], [10, 0, 0]])
    tracks = np.array([[9.0, 0, 0], [20.0, 0, 0]])
    assert gospa(contacts, tracks).localisation == pytest.approx(81 + 100)
    assert ospa(contacts, tracks, order=1) == pytest.approx((9 + 10) / 2)


@pytest.mark.parametrize("apart", [200.0, 200.1, 5000.0])
def test_a_track_beyond_the_cutoff_is_false_and_its_contact_missed(apart: float):
    found = gospa(np.zeros((1, 3)), np.array([[apart, 0, 0]]))
    assert (found.localisation, found.missed, found.false) == (0, 20_000, 20_000)
    assert found.distance == pytest.approx(200)
    assert not len(found.contact)


def test_nobody_is_tracked_without_error():
    assert gospa(NOBODY, NOBODY).distance == 0
    assert ospa(NOBODY, NOBODY) == 0


@pytest.mark.parametrize("one", [1, 4])
def test_cost_of_all_missed(one: int):
    contacts = np.arange(3.0 * one).reshape(one, 3)
    assert gospa(contacts, NOBODY).distance == pytest.approx(np.sqrt(one * 20_000))
    assert gospa(NOBODY, contacts).false == one * 20_000
    assert ospa(contacts, NOBODY) == pytest.approx(200)


@pytest.mark.parametrize("metric", [lambda *sets: gospa(*sets).distance, ospa], ids=["gospa", "ospa"])
class TestMetric:
    @settings(max_examples=40)
    @given(one=POINTS, other=POINTS)
    def test_symmetry(self, metric, one, other):
        assert metric(one, other) == pytest.approx(metric(other, one), abs=1e-6)

    @settings(max_examples=40)
    @given(one=POINTS, order=st.randoms(use_true_random=False))
    def test_identity(self, metric, one, order):
        shuffled = one[order.sample(range(len(one)), len(one))]
        assert metric(one, shuffled) == pytest.approx(0, abs=1e-6)

    @settings(max_examples=40)
    @given(one=POINTS, other=POINTS, third=POINTS)
    def test_triangle(self, metric, one, other, third):
        assert metric(one, third) <= metric(one, other) + metric(other, third) + 1e-6


@settings(max_examples=40)
@given(one=POINTS, other=POINTS)
def test_parts_sum_up(one, other):
    found = gospa(one, other)
    assert found.distance**2 == pytest.approx(found.localisation + found.missed + found.false)
    assert len(one) - len(found.contact) == found.missed / 20_000
    assert len(other) - len(found.track) == found.false / 20_000


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


def probabilistic_scene(seed: int):
    rng = np.random.default_rng(seed)
    contacts, tracks = (rng.uniform(-250, 250, (rng.integers(0, 5), 3)) for _ in range(2))
    factors = rng.normal(0, 40, (len(tracks), 3, 3))
    return contacts, tracks, factors @ factors.swapaxes(-1, -2), rng.uniform(0, 1, len(tracks))


def test_a_doubted_pair_a_miss_and_a_doubted_false_one():
    contacts = np.array([[0.0, 0, 0], [1000, 0, 0]])
    tracks = np.array([[30.0, 40, 0], [0, 5000, 0]])
    covariance = np.broadcast_to(np.diag([100.0, 200, 300]), (2, 3, 3))
    found = probabilistic_gospa(contacts, tracks, covariance, np.array([0.8, 0.1]))
    # 0.8 (50² + 600), and 200² / 2 times 1 - 0.8, one missed, and 0.1
    assert (found.localisation, found.missed) == (2480, 20_000)
    np.testing.assert_allclose((found.mismatch, found.false), (4000, 2000))
    assert found.distance == pytest.approx(np.sqrt(28_480))


@pytest.mark.parametrize("seed", range(20))
def test_of_certain_points_it_is_gospa(seed: int):
    contacts, tracks, *_ = probabilistic_scene(seed)
    found = probabilistic_gospa(contacts, tracks, np.zeros((len(tracks), 3, 3)), np.ones(len(tracks)))
    expected = gospa(contacts, tracks)
    assert found.distance == pytest.approx(expected.distance)
    assert found.mismatch == 0
    np.testing.assert_allclose(
        (found.localisation, found.missed, found.false), (expected.localisation, expected.missed, expected.false)
    )


@pytest.mark.parametrize("seed", range(40))
def test_it_is_the_least_over_all_assignments(seed: int):
    contacts, tracks, covariance, existence = probabilistic_scene(seed)

    def cost(of: dict[int, int]) -> float:
        squared = [((contacts[one] - tracks[of[one]]) ** 2).sum() + np.trace(covariance[of[one]]) for one in of]
        doubts = sum(1 - existence[track] for track in of.values())
        idle = existence.sum() - sum(existence[track] for track in of.values())
        near = sum(existence[track] * far for track, far in zip(of.values(), squared, strict=True))
        return near + 20_000 * (doubts + len(contacts) - len(of) + idle)

    least = min(
        cost(dict(zip(some, others, strict=True)))
        for count in range(min(len(contacts), len(tracks)) + 1)
        for some in combinations(range(len(contacts)), count)
        for others in permutations(range(len(tracks)), count)
    )
    assert probabilistic_gospa(contacts, tracks, covariance, existence).distance == pytest.approx(np.sqrt(least))


def test_a_surer_track_of_a_contact_is_better_and_of_nobody_worse():
    here, spread = np.zeros((1, 3)), np.eye(3)[None]
    of_one = [probabilistic_gospa(here, here, spread, np.array([sure])).distance for sure in (0.1, 0.5, 0.9)]
    of_none = [probabilistic_gospa(NOBODY, here, spread, np.array([sure])).distance for sure in (0.1, 0.5, 0.9)]
    assert of_one == sorted(of_one, reverse=True)
    assert of_none == sorted(of_none)
