"""Contacts that are one plot for a while: none is forgotten, and none is made up."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from qiki.contracts.enums import RadarTrackStatus
from qiki.tracking import Tracker, TrackerParameters, TrackReports
from qiki.tracking.gate import Pairs
from qiki.tracking.measurement import Measurements, OwnState, measured
from qiki.tracking.resolution import blurred, share, with_shared
from qiki.tracking.score import score
from qiki.tracking.tracks import NOBODY, TRACK

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
    tracks["mode_probability"] = [0.9, 0.1]
    return tracks


def plots_at(*east_m: float) -> Measurements:
    position = np.array([[x, 2_000.0, 0.0] for x in east_m]).reshape(-1, 3)
    range_m = np.linalg.norm(position, axis=1)
    return measured(range_m, position / range_m[:, None], np.zeros(len(east_m)), np.full(len(east_m), 25.0), PARAMETERS)


def pairs(*assigned: tuple[int, int]) -> Pairs:
    track, plot = (
        (np.array(column, dtype=np.intp) for column in zip(*assigned, strict=True)) if assigned else (NONE, NONE)
    )
    return Pairs(track, plot, np.zeros(len(track)), np.zeros((len(track), 6)))


def test_a_track_in_the_cell_of_anothers_plot_shares_it():
    shared = share(tracks_at(-20, 20), pairs((0, 0)), plots_at(-18), REST, PARAMETERS)
    assert (shared.track.tolist(), shared.plot.tolist()) == ([1], [0])
    # 38 m across at 2 km, of a beam of 4 degrees
    assert shared.apart[1, 0] == pytest.approx(38 / 2_000 / PARAMETERS.beam_width_rad, rel=0.01)


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


def test_a_shared_plot_is_as_uncertain_as_its_tracks_are_apart():
    plots = plots_at(0, 500)
    shared = share(tracks_at(-20, 30), pairs(), plots, REST, PARAMETERS)
    wide = blurred(plots, shared, PARAMETERS)
    assert wide.sigma_angle_rad[0] == pytest.approx(np.hypot(plots.sigma_angle_rad[0], 30 / 2_000), rel=0.01)
    assert wide.sigma_angle_rad[1] == plots.sigma_angle_rad[1]
    assert (wide.sigma_range_m >= plots.sigma_range_m).all()


def test_the_updater_gets_the_shared_pairs_after_the_assigned():
    tracks = tracks_at(-20, 20)
    assigned = pairs((0, 0))
    joined = with_shared(tracks, assigned, share(tracks, assigned, plots_at(-18), REST, PARAMETERS))
    assert (joined.track.tolist(), joined.plot.tolist()) == ([0, 1], [0, 0])
    np.testing.assert_array_equal(joined.point[1], tracks["mode_mean"][1, 0, :6])


def test_where_nothing_is_shared_plots_and_pairs_are_the_same_ones():
    tracks, assigned, plots = tracks_at(-500, 500), pairs((0, 0), (1, 1)), plots_at(-500, 500)
    shared = share(tracks, assigned, plots, REST, PARAMETERS)
    assert with_shared(tracks, assigned, shared) is assigned
    assert blurred(plots, shared, PARAMETERS) is plots


def test_a_hidden_track_is_hardly_debited():
    tracks = tracks_at(-20, 20)
    score(tracks, NONE, np.array([1]), np.zeros(0), 0, 1.0, PARAMETERS)
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
