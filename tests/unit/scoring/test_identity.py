"""Who is tracked by whom, over time."""

from collections.abc import Callable
from math import log

import numpy as np
import pytest

from qiki.radar.accuracy import Accuracy
from qiki.radar.parameters import RadarParameters
from qiki_harness.scoring import ScanRecord
from qiki_harness.scoring.identity import WEAKEST_ANGLE_RAD, count_identities


def test_a_contact_that_keeps_its_track(make_record: Callable[..., ScanRecord]):
    scans = [make_record(t, {"a": (t, 0, 0)}, {"1": (t, 3, 0)}) for t in range(5)]
    count = count_identities(scans)
    assert (count.switches, count.fragments, count.never) == (0, 0, [])
    assert count.confirm_s == {"a": 0}
    assert count.pairs == [{"a": "1"}] * 5


def test_another_track_is_a_switch_also_after_a_gap(make_record: Callable[..., ScanRecord]):
    tracks = [{}, {}, {"1": (0, 0, 0)}, {}, {"2": (0, 0, 0)}, {"1": (0, 0, 0)}]
    count = count_identities([make_record(t, {"a": (0, 0, 0)}, one) for t, one in enumerate(tracks)])
    assert (count.switches, count.fragments) == (2, 1)
    assert count.confirm_s == {"a": 2}


def test_contacts_that_cross_keep_their_tracks_while_these_are_near(make_record: Callable[..., ScanRecord]):
    # In the middle scan each track is nearer to the other contact.
    truth = [{"a": (x, 0, 0), "b": (-x, 10, 0)} for x in (-100, 0, 100)]
    tracks = [{"1": (x, 0, 0), "2": (-x, 10, 0)} for x in (-100, 0, 100)]
    tracks[1] = {"1": (0, 9, 0), "2": (0, 1, 0)}
    count = count_identities([make_record(t, *both) for t, both in enumerate(zip(truth, tracks, strict=True))])
    assert count.switches == 0


def test_tracks_that_part_with_the_wrong_contacts_are_two_switches(make_record: Callable[..., ScanRecord]):
    truth = [{"a": (x, 0, 0), "b": (-x, 10, 0)} for x in (-100, 0, 100)]
    tracks = [{"1": (x, 0, 0), "2": (-x, 10, 0)} for x in (-100, 0, -100)]
    count = count_identities([make_record(t, *both) for t, both in enumerate(zip(truth, tracks, strict=True))])
    assert (count.switches, count.fragments) == (2, 0)


def test_a_contact_that_goes_away_and_comes_back_is_no_gap(make_record: Callable[..., ScanRecord]):
    here, seen = {"a": (0, 0, 0)}, {"1": (0, 0, 0)}
    scans = [make_record(t, here if t != 1 else {}, seen if t != 1 else {}) for t in range(3)]
    assert count_identities(scans).fragments == 0


def test_a_far_track_stands_for_nobody(make_record: Callable[..., ScanRecord]):
    count = count_identities([make_record(0, {"a": (0, 0, 0)}, {"1": (51, 0, 0)})])
    assert (count.never, count.pairs) == (["a"], [{}])
    assert count_identities([make_record(0, {"a": (0, 0, 0)}, {"1": (51, 0, 0)})], gate_m=60).never == []


@pytest.mark.parametrize(
    ("range_m", "apart_m", "tracked"),
    [(5_000, 49, True), (5_000, 51, False), (12_000, 110, True), (12_000, 120, False)],
)
def test_the_gate_grows_with_the_range_from_the_bot(
    make_record: Callable[..., ScanRecord], range_m: float, apart_m: float, tracked: bool
):
    """It is 50 m at 5 km and 116 m at 12 km; neither place is the origin."""
    bot = (40_000, 0, 0)
    scan = make_record(0, {"a": (40_000, range_m, 0)}, {"1": (40_000, range_m, apart_m)}, own_position=bot)
    assert count_identities([scan, scan]).pairs == 2 * [{"a": "1"} if tracked else {}]


def test_the_gate_is_that_of_the_default_radar():
    radar = RadarParameters()
    weakest = np.array([-log(radar.false_alarm_probability)])
    assert Accuracy(radar).sigmas(weakest).angle_rad[0] == pytest.approx(WEAKEST_ANGLE_RAD, rel=0.01)
