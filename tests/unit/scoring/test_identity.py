"""Who is tracked by whom, over time."""

from collections.abc import Callable

from qiki_harness.scoring import ScanRecord
from qiki_harness.scoring.identity import count_identities


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
