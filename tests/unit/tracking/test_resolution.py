"""Contacts that are one plot for a while: none is forgotten, and none is made up."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from qiki.contracts.enums import RadarTrackStatus
from qiki.tracking import Tracker, TrackerParameters, TrackReports
from qiki.tracking.gate import NO_PAIRS, Pairs
from qiki.tracking.measurement import Measurements, OwnState, measured
from qiki.tracking.resolution import GUESS, Shared, divided, share, shares
from qiki.tracking.score import Rates, score
from qiki.tracking.tracks import NOBODY, TRACK, Modes

PARAMETERS = TrackerParameters()
REST = OwnState(np.zeros(3), np.zeros(3))
NONE = np.zeros(0, dtype=np.intp)


def tracks_at(*east_m: float, speed_mps: float = 30.0):
    """Confirmed tracks 2 km to the north, flying towards the middle; their states well known."""
    tracks = np.zeros(len(east_m), dtype=TRACK)
    tracks["confirmed"] = True
    tracks["detection_probability"] = 0.9
    tracks["identity"] = NOBODY
    tracks["mode_mean"][:, :, 0] = np.array(east_m)[:, None]
    tracks["mode_mean"][:, :, 1] = 2_000.0
    tracks["mode_mean"][:, :, 3] = -speed_mps * np.sign(east_m)[:, None]
    tracks["mode_covariance"] = np.diag([1.0] * 3 + [0.1] * 3 + [1.0] * 3)
    tracks["mode_probability"] = [0.8, 0.1, 0.1]
    tracks["snr"] = 100.0
    return tracks


def plots_at(*east_m: float) -> Measurements:
    position = np.array([[x, 2_000.0, 0.0] for x in east_m]).reshape(-1, 3)
    range_m = np.linalg.norm(position, axis=1)
    return measured(range_m, position / range_m[:, None], np.zeros(len(east_m)), np.full(len(east_m), 25.0), PARAMETERS)


def pairs(*assigned: tuple[int, int]) -> Pairs:
    track, plot = (
        (np.array(column, dtype=np.intp) for column in zip(*assigned, strict=True)) if assigned else (NONE, NONE)
    )
    modes = Modes.of(np.zeros(len(track), dtype=TRACK))
    return Pairs(track, plot, np.zeros(len(track)), np.zeros(len(track), dtype=np.bool_), modes)


def test_a_track_in_the_cell_of_anothers_plot_shares_it():
    shared = share(tracks_at(-20, 20), pairs((0, 0)), plots_at(-18), REST, PARAMETERS)
    assert (shared.track.tolist(), shared.plot.tolist()) == ([1], [0])


def test_two_tracks_about_an_unassigned_plot_share_it():
    shared = share(tracks_at(-20, 20), pairs(), plots_at(0), REST, PARAMETERS)
    assert (shared.track.tolist(), shared.plot.tolist()) == ([0, 1], [0, 0])


@pytest.mark.parametrize(
    ("tracks", "assigned", "plots"),
    [
        pytest.param(tracks_at(-20, 20), [(0, 0), (1, 1)], plots_at(-20, 20), id="each has its own"),
        pytest.param(tracks_at(-20, 200), [(0, 0)], plots_at(-20), id="out of the beam"),
        pytest.param(tracks_at(-20), [], plots_at(0), id="alone: it may have turned"),
        pytest.param(tracks_at(-20, 20), [], plots_at(), id="nothing there"),
        pytest.param(tracks_at(20, 20.5), [(0, 0)], plots_at(20), id="a double"),
        pytest.param(tracks_at(-20, 20, speed_mps=900.0), [], plots_at(0), id="another range rate"),
        pytest.param(tracks_at(), [], plots_at(0), id="no tracks"),
    ],
)
def test_tracks_that_share_nothing(tracks: Any, assigned: list[tuple[int, int]], plots: Measurements):
    shared = share(tracks, pairs(*assigned), plots, REST, PARAMETERS)
    assert shared.track.tolist() == shared.plot.tolist() == []


BOTH = np.array([0, 1])


def both_about(*plot: int) -> Shared:
    return Shared(BOTH, np.array(plot, dtype=np.intp))


@pytest.mark.parametrize("east_m", [-12.0, 0.0, 7.0])
def test_two_about_one_plot_keep_their_distance_and_take_its_centre(east_m: float):
    tracks, plots = tracks_at(-20, 20), plots_at(east_m)
    parts = divided(tracks, BOTH, both_about(0, 0).plot, both_about(0, 0), plots, REST)
    east = parts.range_m * parts.sight[:, 0]
    np.testing.assert_allclose(east, [east_m - 20, east_m + 20], atol=0.01)
    np.testing.assert_allclose(np.vecdot(parts.sight, parts.sight), 1.0)


def test_two_in_line_keep_their_ranges_and_range_rates():
    tracks, plots = tracks_at(0, 0), plots_at(0)
    tracks["mode_mean"][:, :, 1] = [[1_996.0], [2_006.0]]
    tracks["mode_mean"][:, :, 4] = [[1.0], [1.5]]
    parts = divided(tracks, BOTH, np.zeros(2, dtype=np.intp), both_about(0, 0), plots, REST)
    np.testing.assert_allclose(parts.range_m, [1_995, 2_005])
    np.testing.assert_allclose(parts.doppler_mps, [-0.25, 0.25])


def test_the_stronger_of_two_is_nearer_to_their_plot():
    tracks = tracks_at(-20, 20)
    tracks["snr"] = [300.0, 100.0]
    # Their centre is at 0.75·(-20) + 0.25·20 = -10.
    parts = divided(tracks, BOTH, np.zeros(2, dtype=np.intp), both_about(0, 0), plots_at(0), REST)
    np.testing.assert_allclose(parts.range_m * parts.sight[:, 0], [-10, 30], atol=0.01)


def test_a_part_of_a_plot_is_as_uncertain_as_its_tracks_are_apart():
    """The farthest track counts: 30 m at 2 km, with 10 m on the other side."""
    tracks, plots = tracks_at(-10, 30), plots_at(0)
    tracks["snr"] = [300.0, 100.0]
    tracks["mode_mean"][:, :, 3] = 0.0
    parts = divided(tracks, BOTH, np.zeros(2, dtype=np.intp), both_about(0, 0), plots, REST)
    expected = np.hypot(plots.sigma_angle_rad[0], GUESS * 30 / 2_000)
    np.testing.assert_allclose(parts.sigma_angle_rad, expected, rtol=1e-3)
    np.testing.assert_allclose(parts.sigma_doppler_mps, plots.sigma_doppler_mps[0])
    # Of 2000 m and 10 m or 30 m across: 0.025 m and 0.225 m, about their mean of 0.075 m.
    np.testing.assert_allclose(parts.sigma_range_m, np.hypot(plots.sigma_range_m[0], GUESS * 0.15), rtol=1e-3)


def test_plots_of_one_track_stay_as_they_are_beside_a_shared_one():
    tracks, plots = tracks_at(-20, 20, 500), plots_at(0, 505)
    shared = share(tracks, pairs((2, 1)), plots, REST, PARAMETERS)
    parts = divided(tracks, np.array([2, 0, 1]), np.array([1, 0, 0]), shared, plots, REST)
    for name in Measurements.__slots__:
        np.testing.assert_array_equal(getattr(parts, name)[0], getattr(plots, name)[1])
    assert shares(shared, np.array([1, 0, 0]), 2).tolist() == [False, True, True]
    np.testing.assert_array_equal(plots.range_m, plots_at(0, 505).range_m)


def test_where_nothing_is_shared_the_plots_are_the_measurements():
    tracks, assigned, plots = tracks_at(-500, 500), pairs((0, 0), (1, 1)), plots_at(-500, 500)
    shared = share(tracks, assigned, plots, REST, PARAMETERS)
    assert not shares(shared, assigned.plot, 2).any()
    parts = divided(tracks, np.array([1, 0]), np.array([1, 0]), shared, plots, REST)
    for name in Measurements.__slots__:
        np.testing.assert_array_equal(getattr(parts, name), getattr(plots, name)[[1, 0]])


def test_a_hidden_track_is_hardly_debited():
    tracks = tracks_at(-20, 20)
    score(tracks, NO_PAIRS, np.array([1]), np.ones(2), 0, Rates(1.0, 0.1), PARAMETERS)
    missed, hidden = tracks["llr"]
    assert hidden == pytest.approx(PARAMETERS.unresolved_debit * missed)
    assert tracks["misses"].tolist() == [1, 1]


def test_two_that_pass_as_one_echo_keep_their_names(
    follow: Callable[..., list[TrackReports]], make_tracker: Callable[..., Tracker], radar: Any, world: Any
):
    def passing(t_s: float):
        """5 m apart where they meet at 10 s; one echo between them for as long as they are in one cell."""
        east = 30.0 * (t_s - 10.0)
        position = np.array([[east, 2_000.0, 0.0], [-east, 2_005.0, 0.0]])
        velocity = np.array([[30.0, 0, 0], [-30.0, 0, 0]])
        if abs(2 * east * 30.0 / 2_000) < PARAMETERS.doppler_resolution_mps:
            return world(position.mean(0, keepdims=True), velocity.mean(0, keepdims=True))
        return world(position, velocity)

    radar.detection_probability = 1.0
    history = follow(make_tracker(), radar, passing, 200)
    before, after = history[50], history[-1]
    assert before.status.tolist() == after.status.tolist() == [RadarTrackStatus.TRACKED] * 2
    eastbound = before.track_id[int(np.argmax(before.velocity[:, 0]))]
    assert after.track_id[int(np.argmax(after.velocity[:, 0]))] == eastbound
    assert {name for reports in history for name in reports.track_id} == set(before.track_id)
