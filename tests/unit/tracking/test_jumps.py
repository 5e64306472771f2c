"""Jumps: a contact that changed its velocity at once is found again, where nothing else explains the plot."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from qiki.contracts.enums import RadarTrackStatus
from qiki.tracking import Tracker, TrackerParameters, TrackReports
from qiki.tracking.associator import associate, gains
from qiki.tracking.gate import NO_PAIRS, Pairs, gate
from qiki.tracking.jumps import impulse, jump, widened
from qiki.tracking.measurement import OwnState, measured
from qiki.tracking.resolution import Shared
from qiki.tracking.score import Rates
from qiki.tracking.tracks import ACCELERATION, HARD, MODES, MOTION, NOBODY, TRACK, Modes, TrackTable

PARAMETERS = TrackerParameters()
REST = OwnState(np.zeros(3), np.zeros(3))
NONE = np.zeros(0, dtype=np.intp)
NOT_SHARED = Shared(NONE, NONE)
RATES = Rates(1.0, 0.1)
NORTH_M = 2_000.0


def test_an_impulse_at_any_moment_by_hand():
    """Of a change at time u before now the place has u²: the mean over u up to t is t²/3, of u it is t/2."""
    found = impulse(np.array([2.0, 0.0]), TrackerParameters(sigma_impulse_mps=3.0))
    one_axis = 9 * np.array([[4 / 3, 1.0], [1.0, 1.0]])
    np.testing.assert_allclose(found[0], np.kron(one_axis, np.eye(3)))
    np.testing.assert_allclose(found[1], np.diag([0.0] * 3 + [9.0] * 3))


def test_an_impulse_is_as_drawn():
    rng, runs = np.random.default_rng(1), 400_000
    change, ago_s = PARAMETERS.sigma_impulse_mps * rng.normal(size=runs), rng.uniform(0, 3.0, runs)
    one_axis = impulse(np.array([3.0]), PARAMETERS)[0][::3, ::3]
    np.testing.assert_allclose(np.cov(change * ago_s, change), one_axis, rtol=0.01)


def missed(*east_m: float) -> TrackTable:
    """Confirmed tracks at rest, 2 km to the north, last seen 1 s ago."""
    tracks = np.zeros(len(east_m), dtype=TRACK)
    tracks["confirmed"] = True
    tracks["detection_probability"] = 0.9
    tracks["identity"] = NOBODY
    tracks["mode_mean"][:, :, 0] = np.array(east_m)[:, None]
    tracks["mode_mean"][:, :, 1] = NORTH_M
    tracks["mode_covariance"] = np.diag([9.0] * 3 + [4.0] * 3 + [0.0] * 3)
    tracks["mode_covariance"][:, 1:, ACCELERATION, ACCELERATION] = np.eye(3)
    tracks["mode_probability"] = [0.8, 0.1, 0.1]
    return tracks


@dataclass(frozen=True)
class Found:
    """The pairs of one scan."""

    near: Pairs
    assigned: Pairs
    jumped: Pairs


def look(tracks: TrackTable, *plots: tuple[float, float, float], shared: Shared = NOT_SHARED) -> Found:
    """Find the pairs of plots, each with a place to the east and from 2 km to the north [m], and a range rate [m/s]."""
    values = np.array(plots).reshape(-1, 3)
    place = np.column_stack((values[:, 0], NORTH_M + values[:, 1], np.zeros(len(values))))
    range_m = np.linalg.norm(place, axis=1)
    seen = measured(range_m, place / range_m[:, None], values[:, 2], np.full(len(values), 25.0), PARAMETERS)
    near, claims = gate(tracks, seen, REST, PARAMETERS), np.full(len(values), NOBODY)
    assigned = near.take(associate(near, gains(near, tracks, claims, 1.0, PARAMETERS), len(tracks), len(values)))
    jumped = jump(tracks, near, assigned, shared, seen, REST, claims, 1_000_000, RATES, PARAMETERS)
    return Found(near, assigned, jumped)


def pairs_of(pairs: Pairs) -> list[tuple[int, int]]:
    return list(zip(pairs.track.tolist(), pairs.plot.tolist(), strict=True))


AWAY = (5.0, 30.0, 60.0)
"""Half a second after a change by 60 m/s."""


def test_a_missed_track_takes_the_free_plot_that_a_jump_explains():
    tracks = missed(-900, 0)
    before = tracks.copy()
    found = look(tracks, (900.0, 0.0, 0.0), AWAY)
    assert (pairs_of(found.near), pairs_of(found.jumped)) == ([], [(1, 1)])
    state = found.jumped.corrected.merged(MOTION).mean[0]
    np.testing.assert_allclose(state, [5, NORTH_M + 30, 0, 0, 60, 0], atol=10)
    assert tracks[:1].tobytes() == before[:1].tobytes()
    np.testing.assert_array_equal(Modes.of(tracks).mean[1], Modes.of(before).mean[1])
    expected = before["mode_covariance"][1, HARD, MOTION, MOTION] + impulse(np.ones(1), PARAMETERS)[0]
    np.testing.assert_allclose(tracks["mode_covariance"][1, :, MOTION, MOTION], [expected] * MODES)


@pytest.mark.parametrize("plot", [(0.0, 400.0, 60.0), (400.0, 0.0, 0.0), (0.0, 30.0, -170.0)])
def test_a_false_alarm_beyond_all_jumps_is_not_taken(plot: tuple[float, float, float]):
    assert pairs_of(look(missed(0), plot).jumped) == []


def test_two_missed_tracks_that_reach_one_plot_leave_it():
    assert pairs_of(look(missed(-20, 20), AWAY).jumped) == []
    assert pairs_of(look(missed(-20), AWAY).jumped) == [(0, 0)]
    assert pairs_of(look(missed(20), AWAY).jumped) == [(0, 0)]


def test_of_two_plots_one_track_takes_the_likelier():
    assert pairs_of(look(missed(0), (0.0, 60.0, 90.0), AWAY).jumped) == [(0, 1)]


def test_a_plot_in_the_gate_of_a_track_that_was_hit_is_left():
    """The second plot may be the first track's, which has the nearer one."""
    tracks = missed(5, 0)
    tracks["mode_mean"][0, :, 1] += 30.0
    tracks["mode_mean"][0, :, 4] = 60.0
    found = look(tracks, (5.0, 30.0, 60.0), (5.0, 33.0, 61.0))
    assert pairs_of(found.near) == [(0, 0), (0, 1)]
    assert pairs_of(found.assigned) == [(0, 0)]
    assert pairs_of(found.jumped) == []
    # Without the first track it is taken.
    assert pairs_of(look(missed(0), (5.0, 33.0, 61.0)).jumped) == [(0, 0)]


def test_shared_and_assigned_plots_and_their_tracks_are_left():
    first = np.zeros(1, dtype=np.intp)
    assert pairs_of(look(missed(0), AWAY, shared=Shared(NONE, first)).jumped) == []
    assert pairs_of(look(missed(0), AWAY, shared=Shared(first, NONE)).jumped) == []
    hit = look(missed(0), (0.0, 0.0, 0.0), AWAY)
    assert (pairs_of(hit.assigned), pairs_of(hit.jumped)) == ([(0, 0)], [])


def test_a_tentative_track_does_not_jump():
    tracks = missed(0)
    tracks["confirmed"] = False
    assert look(tracks, AWAY).jumped is NO_PAIRS


def test_a_jump_must_pay_for_being_rare():
    """The same pair, at a rate that takes more than the pair gains."""
    rates = np.array([1e-2, 1e-12])
    found = []
    for rate in rates:
        rare = TrackerParameters(jump_rate_hz=float(rate))
        plots = measured(
            np.array([NORTH_M + 30]), np.array([[0.0, 1.0, 0.0]]), np.array([60.0]), np.array([25.0]), rare
        )
        claims = np.array([NOBODY])
        jumped = jump(missed(0), NO_PAIRS, NO_PAIRS, NOT_SHARED, plots, REST, claims, 1_000_000, RATES, rare)
        found.append(len(jumped))
    assert found == [1, 0]


def test_widened_modes_are_alike_and_forget_their_acceleration():
    tracks = missed(0)
    tracks["mode_mean"][:, HARD, :] += 3.0
    tracks["mode_covariance"][:, :, 0, 6] = tracks["mode_covariance"][:, :, 6, 0] = 0.5
    mean = tracks["mode_mean"][0, HARD].copy()
    wider = widened(tracks, np.array([1.0]), PARAMETERS)
    mean[ACCELERATION] = 0
    np.testing.assert_array_equal(wider["mode_mean"], [[mean] * MODES])
    assert (wider["mode_covariance"][..., MOTION, ACCELERATION] == 0).all()
    assert (np.linalg.eigvalsh(wider["mode_covariance"][:, 1:]) > 0).all()


CHANGES = [[0.0, 60.0, 0.0], [0.0, 85.0, 0.0], [60.0, 0.0, 0.0], [-35.0, 35.0, 35.0]]


def jumping(world: Any, change: Any, t_s: float, at_s: float = 20.5):
    """Flies to the east at 20 m/s; at half of a second its velocity changes at once."""
    after, velocity = max(t_s - at_s, 0.0), np.array([20.0, 0.0, 0.0])
    place = np.array([-400.0, 1_000.0, 200.0]) + t_s * velocity + after * np.array(change)
    return world(place[None], (velocity + np.array(change) * (t_s > at_s))[None])


@pytest.mark.parametrize("change", CHANGES)
def test_a_contact_that_jumps_is_hit_in_the_same_scan(
    follow: Callable[..., list[TrackReports]],
    make_tracker: Callable[..., Tracker],
    radar: Any,
    world: Any,
    change: list[float],
):
    radar.detection_probability = 1.0
    history = follow(make_tracker(), radar, lambda t_s: jumping(world, change, t_s), 30, dt_s=1.0)
    assert {name for reports in history for name in reports.track_id} == {history[0].track_id[0]}
    for t_s in range(15, 30):
        reports, truth = history[t_s], jumping(world, change, float(t_s))
        assert reports.status.tolist() == [RadarTrackStatus.TRACKED], t_s
        assert np.linalg.norm(reports.position[0] - truth.position[0]) < 20, t_s
    np.testing.assert_allclose(history[-1].velocity, truth.velocity, atol=6)


def test_two_scans_of_one_moment_are_survived(
    follow: Callable[..., list[TrackReports]], make_tracker: Callable[..., Tracker], radar: Any, world: Any
):
    """The place is the same, the range rate another by 40 m/s."""
    radar.detection_probability = 1.0
    tracker, place = make_tracker(), np.array([[0.0, NORTH_M, 0.0]])
    before = follow(tracker, radar, lambda _: world(place, np.zeros((1, 3))), 20)[-1]
    again = tracker.step(radar.look(1.9, world(place, np.array([[0.0, 40.0, 0.0]]))))
    assert again.track_id[0] == before.track_id[0]
    assert np.isfinite(again.position).all()


def test_after_a_long_gap_nothing_jumps(
    follow: Callable[..., list[TrackReports]],
    make_tracker: Callable[..., Tracker],
    radar: Any,
    world: Any,
    monkeypatch: pytest.MonkeyPatch,
):
    radar.detection_probability = 1.0
    tracker, change = make_tracker(longest_gap_s=2.0), CHANGES[0]
    follow(tracker, radar, lambda t_s: jumping(world, change, t_s), 21, dt_s=1.0)
    monkeypatch.setattr("qiki.tracking.tracker.jump", None)
    late = tracker.step(radar.look(22.5, jumping(world, change, 22.5)))
    assert late.status.tolist() == [RadarTrackStatus.LOST, RadarTrackStatus.NEW]
