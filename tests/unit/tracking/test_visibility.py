"""The blind range: a contact nearer than one range cell is not seen, and not forgotten at once."""

from collections.abc import Callable
from functools import partial
from math import exp
from typing import Any

import numpy as np
import pytest

from qiki.contracts.enums import RadarTrackStatus
from qiki.tracking import Tracker, TrackerParameters, TrackReports
from qiki.tracking.measurement import OwnState
from qiki.tracking.parameters import log_odds
from qiki.tracking.score import existence, fade
from qiki.tracking.tracks import TRACK
from qiki.tracking.visibility import seen

PARAMETERS = TrackerParameters()
CELL_M = PARAMETERS.range_resolution_m


def tracks_at(*range_m: float, sigma_m: float = 3.0):
    """Tracks to the north of a bot that is elsewhere."""
    tracks = np.zeros(len(range_m), dtype=TRACK)
    tracks["mode_mean"][:, :, 0] = 7.0
    tracks["mode_mean"][:, :, 1] = np.array(range_m)[:, None]
    tracks["mode_covariance"] = np.diag([100.0, sigma_m**2, 100.0] + [1.0] * 6)
    return tracks


OWN = OwnState(np.array([7.0, 0.0, 0.0]), np.zeros(3))


@pytest.mark.parametrize(
    ("range_m", "expected"),
    [
        pytest.param(5_000.0, 1.0, id="far"),
        pytest.param(CELL_M, 0.5, id="at the end of the cell"),
        # Table values of the normal distribution, one and two standard deviations off.
        pytest.param(CELL_M + 3, 0.841, id="a little farther"),
        pytest.param(CELL_M - 3, 0.159, id="a little nearer"),
        pytest.param(CELL_M - 6, 0.023, id="inside"),
        pytest.param(0.0, 0.0, id="at the bot"),
    ],
)
def test_a_contact_is_visible_beyond_one_range_cell(range_m: float, expected: float):
    assert seen(tracks_at(range_m), OWN, PARAMETERS)[0] == pytest.approx(expected, abs=0.01)


def test_far_contacts_are_visible_for_sure():
    assert seen(tracks_at(61.0, 1.0, 9_000.0, sigma_m=500.0), OWN, PARAMETERS)[[0, 2]].tolist() == [1.0, 1.0]


def test_an_unseen_blind_contact_fades_by_hand():
    """Of contacts at 0.9 and 0.5, after 2 s of a lifetime of 10 s; partly blind; visible; seen."""
    tracks = tracks_at(1, 2, 3, 4, 5)
    tracks["llr"] = [log_odds(probability) for probability in (0.9, 0.5, 0.9, 0.9, 0.9)]
    tracks["hit"][4] = True
    fade(tracks, np.array([0.0, 0.0, 0.75, 1.0, 0.0]), 2.0, TrackerParameters(blind_lifetime_s=10.0))
    stays = exp(-0.2)
    np.testing.assert_allclose(existence(tracks["llr"]), [0.9 * stays, 0.5 * stays, 0.9 * exp(-0.05), 0.9, 0.9])


def passing(world: Any, speed_mps: float, t_s: float):
    """Flies past the bot at 5 m, 10 s on; no echo while it is nearer than one range cell."""
    return echo_of(world, [speed_mps * (t_s - 10.0), 5.0, 0.0], [speed_mps, 0.0, 0.0])


def stopping(world: Any, t_s: float):
    """Approaches at 2 m/s, is blind after 4.5 s, and stays at 4 m from 10 s on."""
    return echo_of(world, [0.0, 4.0 + 2.0 * max(10.0 - t_s, 0.0), 0.0], [0.0, -2.0 * (t_s < 10.0), 0.0])


def echo_of(world: Any, position: Any, velocity: Any):
    visible = int(np.linalg.norm(position) >= CELL_M)
    return world(np.array([position] * visible).reshape(-1, 3), np.array([velocity] * visible).reshape(-1, 3))


@pytest.mark.parametrize(("speed_mps", "blind_scans", "quality"), [(10.0, 28, 0.5), (30.0, 9, 0.9), (60.0, 5, 0.9)])
def test_a_contact_that_flies_through_the_blind_range_keeps_its_track(
    follow: Callable[..., list[TrackReports]],
    make_tracker: Callable[..., Tracker],
    radar: Any,
    world: Any,
    speed_mps: float,
    blind_scans: int,
    quality: float,
):
    """28 m of its course are blind."""
    radar.detection_probability = 1.0
    history = follow(make_tracker(), radar, partial(passing, world, speed_mps), 200)
    coasting = [reports for reports in history if reports.status[0] == RadarTrackStatus.COASTING]
    assert len(coasting) == pytest.approx(blind_scans, abs=1)
    assert {name for reports in history for name in reports.track_id} == {history[0].track_id[0]}
    assert min(reports.quality[0] for reports in history[1:]) > quality
    assert history[-1].status.tolist() == [RadarTrackStatus.TRACKED]


def test_a_contact_that_stays_in_the_blind_range_is_lost_in_the_end(
    follow: Callable[..., list[TrackReports]], make_tracker: Callable[..., Tracker], radar: Any, world: Any
):
    radar.detection_probability = 1.0
    history = follow(make_tracker(), radar, partial(stopping, world), 400)
    quality = [reports.quality[0] for reports in history if len(reports)]
    # 35 scans after the last that showed it, at 4.5 s.
    assert quality[80] == pytest.approx(exp(-3.5 / PARAMETERS.blind_lifetime_s), abs=0.02)
    assert sum(RadarTrackStatus.LOST in reports.status for reports in history) == 1
    assert not len(history[-1])
