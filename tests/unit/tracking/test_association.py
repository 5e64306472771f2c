"""Gate and associator: values by hand, brute force beside."""

import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import permutations
from math import exp, pi

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qiki.contracts.enums import RadarTrackStatus
from qiki.tracking import Scan, Tracker, TrackerParameters
from qiki.tracking.associator import associate, gains, greedy
from qiki.tracking.gate import Pairs, gate, near, within
from qiki.tracking.measurement import OwnState, measured
from qiki.tracking.tracks import MODES, MOTION, NOBODY, TRACK, Modes, TrackTable

PARAMETERS = TrackerParameters()
REST = OwnState(np.zeros(3), np.zeros(3))


def table(size: int, range_m: float = 1_000.0, sigma_m: float = 5.0) -> TrackTable:
    """Tracks due north at rest, 100 m apart in height, alike in all modes."""
    tracks = np.zeros(size, dtype=TRACK)
    tracks["mode_probability"] = 1 / MODES
    tracks["mode_mean"][:, :, 1] = range_m
    tracks["mode_mean"][:, :, 2] = 100.0 * np.arange(size)[:, None]
    tracks["mode_covariance"] = np.diag([sigma_m**2] * 3 + [1.0] * 3 + [1.0] * 3)
    tracks["detection_probability"] = 0.9
    tracks["identity"] = NOBODY
    return tracks


def pairs_of(size: int, tracks: list[int], plots: list[int]) -> Pairs:
    track, plot = np.array(tracks, dtype=np.intp), np.array(plots, dtype=np.intp)
    modes = Modes.of(np.zeros(size, dtype=TRACK))
    return Pairs(track, plot, np.zeros(size), np.zeros(size, dtype=np.bool_), modes)


def test_gate_probability_is_chi_square_of_four():
    # Table value: 95 % of chi-square with 4 degrees of freedom lies below 9.488
    assert TrackerParameters(gate_threshold=9.488).gate_probability == pytest.approx(0.95, abs=1e-4)


def test_clutter_density_by_hand():
    parameters = TrackerParameters(max_range_m=1_000, solid_angle_sr=4 * pi, doppler_span_mps=100)
    assert exp(parameters.log_clutter_density(2)) == pytest.approx(2 / (1_000 * 4 * pi * 100))


def test_likelihood_by_hand():
    plots = measured(np.array([1_000.0]), np.array([[0.0, 1.0, 0.0]]), np.zeros(1), np.array([20.0]), PARAMETERS)
    pairs = gate(table(1), plots, REST, PARAMETERS)
    blur = plots.sigma_doppler_mps[0] ** 2 + plots.sigma_angle_rad[0] ** 2 * 2.0
    across = 25.0 + (1_000 * plots.sigma_angle_rad[0]) ** 2
    determinant = across**2 * (25.0 + plots.sigma_range_m[0] ** 2) * (1.0 + blur)
    # A plot in the middle; times r² from volume to solid angle.
    expected = 1_000**2 / ((2 * pi) ** 2 * determinant**0.5)
    assert exp(pairs.log_likelihood[0]) == pytest.approx(expected, rel=1e-9)
    np.testing.assert_allclose(pairs.corrected.merged(MOTION).mean[0], [0, 1_000, 0, 0, 0, 0], atol=1e-9)


def test_gate_shuts_at_its_threshold():
    tracks = table(1)
    snr = np.array([20.0])
    at_rest = measured(np.array([1_000.0]), np.array([[0.0, 1.0, 0.0]]), np.zeros(1), snr, PARAMETERS)
    sigma = (1.0 + at_rest.sigma_doppler_mps[0] ** 2 + 2 * at_rest.sigma_angle_rad[0] ** 2) ** 0.5
    edge = sigma * PARAMETERS.gate_threshold**0.5
    for doppler, inside in ((0.999 * edge, 1), (1.001 * edge, 0)):
        plots = measured(np.array([1_000.0]), np.array([[0.0, 1.0, 0.0]]), np.array([doppler]), snr, PARAMETERS)
        assert len(gate(tracks, plots, REST, PARAMETERS).track) == inside


@given(st.integers(0, 200), st.integers(0, 12), st.integers(0, 12))
def test_near_finds_the_pairs_of_a_full_comparison(seed: int, tracks: int, plots: int):
    rng = np.random.default_rng(seed)
    position, variance = rng.normal(size=(tracks, 3)) * 10, rng.uniform(0.1, 4, (tracks, 3))
    plot_position, plot_variance = rng.normal(size=(plots, 3)) * 10, rng.uniform(0.1, 4, (plots, 3))
    found = near(position, variance, plot_position, plot_variance, 9.0, 1_000)
    expected = {
        (i, j)
        for i in range(tracks)
        for j in range(plots)
        if all((position[i] - plot_position[j]) ** 2 <= 9.0 * (variance[i] + plot_variance[j]))
    }
    assert set(zip(*(index.tolist() for index in found), strict=True)) == expected
    assert (np.diff(found[0]) >= 0).all()


def test_of_a_crowd_only_the_nearest_pairs_are_compared():
    plots = np.array([[3.0, 0, 0], [1.0, 0, 0], [2.0, 0, 0], [-0.5, 0, 0]])
    track, plot = near(np.zeros((1, 3)), np.ones((1, 3)), plots, np.ones((4, 3)), 9.0, 2)
    assert (track.tolist(), sorted(plot.tolist())) == ([0, 0], [1, 3])


def _nearest_of_all(position, variance, plot_position, plot_variance, limit: int) -> list[tuple[int, int]]:
    """By comparing all: in order of tracks, then of plots along x."""
    order = np.argsort(plot_position[:, 0], kind="stable").tolist()
    apart = (plot_position - position[:, None]) ** 2 / (variance[:, None] + plot_variance)
    inside = [(i, j) for i in range(len(position)) for j in order if (apart[i, j] <= 9.0).all()]
    chosen = set(sorted(inside, key=lambda pair: apart[pair].sum())[:limit])
    return [pair for pair in inside if pair in chosen]


@settings(max_examples=60)
@given(
    st.integers(0, 200), st.integers(0, 12), st.integers(0, 12), st.integers(1, 9), st.integers(1, 30), st.booleans()
)
def test_a_crowd_in_blocks_gives_the_pairs_of_all_at_once(
    seed: int, tracks: int, plots: int, block: int, limit: int, lattice: bool
):
    """On a lattice many distances are equal: then those that come first are kept."""
    rng = np.random.default_rng(seed)
    position, plot_position = (rng.normal(size=(count, 3)) * 2 for count in (tracks, plots))
    if lattice:
        position, plot_position = position.round(), plot_position.round()
    variance, plot_variance = np.ones((tracks, 3)), np.ones((plots, 3))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("qiki.tracking.gate.FEW", 0)
        patch.setattr("qiki.tracking.gate.within", partial(within, most=block))
        found = near(position, variance, plot_position, plot_variance, 9.0, limit)
    expected = _nearest_of_all(position, variance, plot_position, plot_variance, limit)
    assert list(zip(*(index.tolist() for index in found), strict=True)) == expected
    if tracks * plots <= limit:
        found = near(position, variance, plot_position, plot_variance, 9.0, limit)
        assert list(zip(*(index.tolist() for index in found), strict=True)) == expected


def test_a_crowd_takes_no_memory_for_each_of_its_pairs():
    """Two thousand plots within a few metres, about as many tracks: 4 million pairs."""
    position = np.random.default_rng(1).uniform(-10, 10, (2_000, 3))
    tracemalloc.start()
    track, _ = near(position, np.full((2_000, 3), 100.0), position, np.full((2_000, 3), 100.0), 23.5, 50_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(track) == 50_000
    assert peak < 100 * 2**20


def test_no_gate_is_opened_for_tracks_that_are_not_carried_on(
    make_tracker: Callable[[], Tracker], make_scans: Callable[[int], list[Scan]], monkeypatch: pytest.MonkeyPatch
):
    tracker, (first, second) = make_tracker(), make_scans(2)
    tracker.step(first)
    monkeypatch.setattr("qiki.tracking.tracker.gate", None)
    reports = tracker.step(replace(second, t_us=first.t_us + 31_000_000))
    assert set(reports.status[: first.size].tolist()) == {RadarTrackStatus.LOST}
    assert set(reports.status[first.size :].tolist()) == {RadarTrackStatus.NEW}


def _best_total(gain: np.ndarray) -> float:
    """Greatest total of any assignment, by trying all."""
    size = max(gain.shape)
    square = np.zeros((size, size))
    square[: gain.shape[0], : gain.shape[1]] = gain
    return max(sum(square[i, p] for i, p in enumerate(order)) for order in permutations(range(size)))


@given(st.integers(0, 300), st.integers(1, 5), st.integers(1, 5))
def test_assignment_is_the_best_of_all(seed: int, tracks: int, plots: int):
    rng = np.random.default_rng(seed)
    gain = np.where(rng.random((tracks, plots)) < 0.6, rng.normal(size=(tracks, plots)) * 5, 0.0)
    track, plot = np.nonzero(gain)
    pairs = pairs_of(len(track), track.tolist(), plot.tolist())
    chosen = associate(pairs, gain[track, plot], tracks, plots)
    assert len(set(track[chosen])) == len(set(plot[chosen])) == len(chosen)
    assert (np.diff(track[chosen]) > 0).all()
    assert gain[track, plot][chosen].sum() == pytest.approx(_best_total(np.maximum(gain, 0)))


def test_greedy_takes_the_greatest_first():
    track, plot, gain = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1]), np.array([5.0, 4.0, 4.5, 1.0])
    # The best total is 4 + 4.5; greedy takes 5, and what that leaves.
    assert greedy(track, plot, gain).tolist() == [0, 3]


@given(st.integers(0, 100))
def test_greedy_assigns_none_twice_and_leaves_no_free_pair(seed: int):
    rng = np.random.default_rng(seed)
    track, plot = np.nonzero(rng.random((6, 6)) < 0.5)
    chosen = greedy(track, plot, rng.random(len(track)))
    tracks, plots = set(track[chosen].tolist()), set(plot[chosen].tolist())
    assert len(tracks) == len(plots) == len(chosen)
    assert all(one in tracks or other in plots for one, other in zip(track, plot, strict=True))


def test_a_claim_tips_an_even_balance_but_opens_no_gate():
    tracks = table(2)
    tracks["identity"] = [0, 1]
    pairs = pairs_of(4, [0, 0, 1, 1], [0, 1, 0, 1])
    gain = gains(pairs, tracks, np.array([1, 0]), 1.0, PARAMETERS)
    np.testing.assert_allclose(gain[[1, 2]] - gain[[0, 3]], 2 * PARAMETERS.identity_bonus)
    unlikely = replace(pairs, log_likelihood=np.full(4, -100.0))
    assert (gains(unlikely, tracks, np.array([1, 0]), 1.0, PARAMETERS) == 0).all()
