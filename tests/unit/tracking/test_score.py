"""Score of tracks: values by hand, and how long a track lives."""

from collections.abc import Callable
from functools import partial
from math import log
from typing import Any

import numpy as np
import pytest

from qiki.contracts.enums import RadarTrackStatus
from qiki.tracking import Tracker, TrackerParameters, TrackReports
from qiki.tracking.gate import NO_PAIRS, Pairs
from qiki.tracking.parameters import log_odds
from qiki.tracking.score import LEAST_DETECTION, MOST_DETECTION, Rates, dead, existence, score
from qiki.tracking.tracks import TRACK, Modes, TrackTable

PARAMETERS = TrackerParameters()
UNCAPPED = TrackerParameters(max_existence=1 - 1e-12)
RATES = Rates(1.0, 0.1)
NONE = np.zeros(0, dtype=np.intp)
CONFIRMED = (RadarTrackStatus.TRACKED, RadarTrackStatus.COASTING)
CLUTTER = PARAMETERS.log_clutter_density(1.0)


def table(size: int) -> TrackTable:
    tracks = np.zeros(size, dtype=TRACK)
    tracks["detection_probability"] = 0.9
    return tracks


def hits(log_likelihood: float, *rows: int) -> Pairs:
    """Pairs of tracks and plots of one likelihood."""
    track, size = np.array(rows, dtype=np.intp), len(rows)
    modes = Modes.of(np.zeros(size, dtype=TRACK))
    return Pairs(track, np.arange(size), np.full(size, log_likelihood), np.zeros(size, dtype=np.bool_), modes)


def scored(
    tracks: TrackTable,
    pairs: Pairs = NO_PAIRS,
    parameters: TrackerParameters = PARAMETERS,
    t_us: int = 0,
    hidden: Any = NONE,
    visible: Any = 1.0,
):
    """Score a scan, and return the gain of each track."""
    before = tracks["llr"].copy()
    score(tracks, pairs, hidden, np.broadcast_to(visible, len(tracks)), t_us, RATES, parameters)
    return tracks["llr"] - before


def test_score_by_hand():
    tracks = table(2)
    tracks["llr"] = 1.0
    scored(tracks, hits(CLUTTER + 3.0, 1), UNCAPPED, t_us=7)
    assert tracks["llr"][0] == pytest.approx(1 + log(1 - 0.9 * UNCAPPED.gate_probability))
    assert tracks["llr"][1] == pytest.approx(1 + log(0.9) + 3)
    assert tracks["misses"].tolist() == [1, 0]
    assert tracks["hits"].tolist() == [0, 1]
    assert tracks["hit"].tolist() == [False, True]
    assert tracks["last_hit_us"].tolist() == [0, 7]


def test_score_confirms_and_forgets_at_the_thresholds():
    tracks = table(1)
    tracks["llr"] = log_odds(PARAMETERS.confirm_existence) - 1
    scored(tracks, hits(CLUTTER - log(0.9) + 0.99, 0))
    assert not tracks["confirmed"][0]
    # Detected once more after 5 looks that were worth 0.9 each.
    scored(tracks, hits(CLUTTER - log(5.5 / 6) + 0.01 + 1e-9, 0))
    assert tracks["confirmed"][0]
    tracks["llr"] = log_odds(PARAMETERS.delete_existence)
    assert not dead(tracks, PARAMETERS)[0]
    tracks["llr"] -= 1e-9
    assert dead(tracks, PARAMETERS)[0]


def test_existence_is_the_inverse_of_log_odds():
    np.testing.assert_allclose(existence(np.array([log_odds(0.2), 0.0, log_odds(0.999)])), [0.2, 0.5, 0.999])


def test_score_of_a_certain_contact_is_capped():
    tracks = table(1)
    for _ in range(20):
        scored(tracks, hits(0.0, 0))
    assert existence(tracks["llr"])[0] == pytest.approx(PARAMETERS.max_existence)


def test_each_miss_in_a_row_is_less_of_a_surprise():
    """A beta distribution of 5 looks at 0.9: 4.5 hits of 5, 6, 7, 8 looks."""
    tracks = table(1)
    for looks in (5, 6, 7, 8):
        assert tracks["detection_probability"][0] == 0.9
        assert scored(tracks)[0] == pytest.approx(log(1 - 4.5 / looks * PARAMETERS.gate_probability))


def test_misses_count_at_the_next_hit():
    tracks = table(1)
    for _ in range(3):
        scored(tracks)
    # The hit itself is as likely as after three misses: 4.5 of 8. Then there were 5.5 hits of 9.
    assert scored(tracks, hits(CLUTTER, 0), UNCAPPED)[0] == pytest.approx(log(4.5 / 8))
    assert tracks["detection_probability"][0] == pytest.approx(5.5 / 9)
    # One hit is counted among the looks: 5.5 / 9 · 6 of 6.
    assert scored(tracks)[0] == pytest.approx(log(1 - 5.5 / 9 * PARAMETERS.gate_probability))


def test_an_old_track_forgets_its_first_looks():
    """A mean over 80 looks at most: 72 hits of them, and then of 81."""
    tracks = table(1)
    tracks["hits"] = 1_000
    scored(tracks)
    assert scored(tracks)[0] == pytest.approx(log(1 - 72 / 81 * PARAMETERS.gate_probability))
    scored(tracks, hits(CLUTTER, 0))
    assert tracks["detection_probability"][0] == pytest.approx(73 / 83)


def test_a_detection_probability_stays_within_its_bounds():
    tracks = table(2)
    tracks["detection_probability"] = [0.2, 0.97]
    tracks["misses"] = tracks["unseen"] = [400, 0]
    assert scored(tracks)[0] == pytest.approx(log(1 - LEAST_DETECTION * PARAMETERS.gate_probability))
    for _ in range(50):
        scored(tracks, hits(CLUTTER, 0, 1))
        assert (tracks["detection_probability"] >= LEAST_DETECTION).all()
    assert tracks["detection_probability"][1] == MOST_DETECTION


def test_a_miss_of_a_hidden_or_blind_contact_hardly_counts():
    tracks = table(4)
    gain = scored(tracks, hidden=np.array([1]), visible=np.array([1.0, 1.0, 0.25, 0.0]))
    miss = log(1 - 0.9 * PARAMETERS.gate_probability)
    by_half_blind = log(1 - 0.9 * 0.25 * PARAMETERS.gate_probability)
    np.testing.assert_allclose(gain, [miss, PARAMETERS.unresolved_debit * miss, by_half_blind, 0.0], atol=1e-12)
    assert tracks["misses"].tolist() == [1] * 4
    np.testing.assert_allclose(tracks["unseen"], [1.0, PARAMETERS.unresolved_debit, 0.25, 0.0])


def test_misses_that_say_little_leave_the_detection_probability():
    """A hundred misses in the blind range, and as many hidden ones: these weigh as five."""
    tracks = table(2)
    for _ in range(100):
        scored(tracks, hidden=np.array([1]), visible=np.array([0.0, 1.0]))
    scored(tracks, hits(CLUTTER, 0, 1))
    np.testing.assert_allclose(tracks["detection_probability"], [5.5 / 6, 5.5 / 11])
    assert tracks["unseen"].tolist() == [0, 0]


def test_a_track_is_confirmed_by_a_hit():
    tracks = table(1)
    tracks["llr"] = log_odds(PARAMETERS.max_existence)
    scored(tracks, visible=0.0)
    assert not tracks["confirmed"][0]


def test_rates_are_learnt_from_unassigned_plots_and_confirmed_tracks():
    parameters = TrackerParameters(
        expected_false_alarms=0.5, clutter_memory=0.1, fewest_new_contacts=0.01, new_contact_memory=0.02
    )
    tracks = table(3)
    tracks["hit"], tracks["confirmed"] = [True, True, False], [True, False, True]
    # 21 plots, one of them a confirmed track's: 2 + 0.1·(20 - 2) = 3.8. Two births: 0.1 + 0.02·(2 - 0.1) = 0.138
    learned = Rates(2.0, 0.1).learned(21, 2, tracks, parameters)
    assert (learned.false_alarms, learned.new_contacts) == (pytest.approx(3.8), pytest.approx(0.138))
    assert Rates(0.5, 0.01).learned(1, 0, tracks, parameters) == Rates(0.5, 0.01)
    assert Rates(2.0, 0.1).learned(40, 0, tracks[:0], parameters) == Rates(2.0, 0.1)


def test_the_first_rates_are_those_expected():
    rates = Rates.of(TrackerParameters(expected_false_alarms=2.0, expected_new_contacts=0.5))
    assert (rates.false_alarms, rates.new_contacts) == (2.0, 0.5)
    assert rates.birth_llr == pytest.approx(log(0.25))


CONTACTS = 8


@pytest.mark.parametrize("dt_s", [1.0, 0.1])
def test_faint_contacts_keep_their_tracks(
    follow: Callable[..., list[TrackReports]],
    make_tracker: Callable[..., Tracker],
    small_radar: Any,
    world: Any,
    dt_s: float,
):
    """Each scan shows two of five."""
    for seed in range(6):
        rng = np.random.default_rng(seed)
        position, velocity = rng.uniform(-4_000, 4_000, (CONTACTS, 3)), rng.uniform(-30, 30, (CONTACTS, 3))
        flown = partial(straight, world, position, velocity)
        history = follow(make_tracker(), small_radar(rng, detection_probability=0.4), flown, 100, dt_s)
        ids = [set(np.array(reports.track_id)[np.isin(reports.status, CONFIRMED)].tolist()) for reports in history]
        assert len(ids[-1]) == CONTACTS, f"seed {seed}"
        assert set.union(*ids) == ids[-1], f"seed {seed}: a contact had two tracks"


def straight(world: Any, position: Any, velocity: Any, t_s: float):
    return world(position + t_s * velocity, velocity)
