"""Score of a first plot: strong ones are confirmed at once, unless a missed track explains them."""

from collections.abc import Callable
from math import log
from typing import Any

import numpy as np
import pytest

from qiki.contracts.enums import RadarTrackStatus
from qiki.tracking import Tracker, TrackerParameters, TrackReports
from qiki.tracking.continuity import maybe_known
from qiki.tracking.score import STRONGEST, Rates, strength_llr
from qiki.tracking.tracks import MODES, NOBODY, TRACK

PARAMETERS = TrackerParameters()
LEAST = -log(PARAMETERS.false_alarm_probability) - 1
"""SNR of the weakest plot."""


def decibels(snr: float):
    return 10 * np.log10(np.array([snr]))


def test_strength_by_hand():
    # p(snr | false) = exp(-excess); p(snr | contact) = 1 / (snr ln(strongest / least))
    expected = 40 - log(LEAST + 40) - log(log(STRONGEST / LEAST))
    assert strength_llr(decibels(LEAST + 40), PARAMETERS)[0] == pytest.approx(expected)


@pytest.mark.parametrize("snr", [0.1, 1.0, LEAST, LEAST + 3])
def test_a_weak_plot_is_no_evidence(snr: float):
    assert strength_llr(decibels(snr), PARAMETERS)[0] == 0


def test_hardly_a_false_alarm_is_believed_at_once():
    rng = np.random.default_rng(1)
    snr_db = 10 * np.log10(LEAST + rng.exponential(1.0, 200_000))
    llr = Rates.of(PARAMETERS).birth_llr + strength_llr(snr_db, PARAMETERS)
    assert (llr > log(99)).mean() < 1e-4


def missing(velocity_spread: float = 1.0):
    """One confirmed track 1 km to the north that missed for one second."""
    tracks = np.zeros(1, dtype=TRACK)
    tracks["confirmed"] = True
    tracks["mode_probability"] = 1 / MODES
    tracks["mode_mean"][:, :, 1] = 1_000.0
    tracks["mode_covariance"] = np.diag([25.0] * 3 + [velocity_spread] * 3 + [1.0] * 3)
    tracks["identity"] = NOBODY
    return tracks


@pytest.mark.parametrize(("offset_m", "known"), [(20.0, True), (85.0, True), (86.3, False), (400.0, False)])
def test_a_plot_near_a_track_that_missed_may_be_its_contact(offset_m: float, known: bool):
    # Track, a velocity change of 30 m/s at any moment of the second, and plot: √(22.5 · (25 + 30²/3 + 1)) = 85.6
    found = maybe_known(missing(), np.array([[0.0, 1_000.0 + offset_m, 0.0]]), np.ones((1, 3)), 1_000_000, PARAMETERS)
    assert found.tolist() == [known]


def test_a_plot_near_a_detected_track_is_of_another_contact():
    tracks = missing()
    tracks["hit"] = True
    assert not maybe_known(tracks, np.array([[0.0, 1_000.0, 0.0]]), np.ones((1, 3)), 1_000_000, PARAMETERS).any()


def test_nothing_is_known_where_there_is_nothing():
    assert maybe_known(missing(), np.zeros((0, 3)), np.ones((0, 3)), 1_000_000, PARAMETERS).tolist() == []


def test_a_strong_first_plot_is_new_and_of_high_quality(
    follow: Callable[..., list[TrackReports]], make_tracker: Callable[..., Tracker], radar: Any, world: Any
):
    radar.detection_probability = 1.0
    position = np.array([[0.0, 2_000.0, 0.0]])
    for mean_snr_db, believed in ((30.0, True), (-20.0, False)):
        radar.mean_snr_db = mean_snr_db
        first = follow(make_tracker(), radar, lambda _: world(position, np.zeros((1, 3))), 1)[0]
        assert first.status.tolist() == [RadarTrackStatus.NEW]
        assert (first.quality[0] > 0.99) == believed
