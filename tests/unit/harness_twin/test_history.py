"""Histories and waits."""

import threading

import pytest

from qiki.contracts.enums import FriendFoe, RadarRangeBand
from qiki_harness.twin import AwaitedError
from qiki_harness.twin.where import track

SOON_S = 0.05


def test_each_subject_has_its_history(ledger):
    subjects = {
        "qiki.radar.v1.frames": ledger.frames,
        "qiki.radar.v1.frames.lr": ledger.frames_lr,
        "qiki.radar.v1.tracks.sr": ledger.frames_sr,
        "qiki.radar.v1.tracks": ledger.tracks,
        "qiki.tracker.v1.frames": ledger.tracked,
        "qiki.events.v1.radar.guard": ledger.events,
        "qiki.dlq.v1.qiki.radar.v1.frames": ledger.dead_letters,
        "qiki.telemetry": ledger.telemetry,
        "qiki.truth.v1.contacts": ledger.truth,
        "qiki.responses.control": ledger.acks,
        "qiki.agent.v1.state": ledger.agent,
    }
    for subject in subjects:
        ledger.add(subject, b"", None)
    ledger.add("qiki.something.else", b"", None)

    assert {subject: [record.subject for record in history.records] for subject, history in subjects.items()} == {
        subject: [subject] for subject in subjects
    }
    assert set(map(id, ledger.histories)) == set(map(id, subjects.values()))


def test_a_wait_is_over_at_once_where_it_has_passed_already(watcher, fill):
    fill.track(1)
    fill.track(2)

    assert watcher.await_track(deadline_s=SOON_S).frame == 1
    assert watcher.await_track(frame=2, deadline_s=SOON_S).frame == 2


def test_after_asks_for_something_new(watcher, fill):
    fill.track(1)
    moment = watcher.now()

    with pytest.raises(AwaitedError, match=r"waited 0\.05 s for a track: none came"):
        watcher.await_track(after=moment, deadline_s=SOON_S)
    fill.track(2)
    assert watcher.await_track(after=moment, deadline_s=SOON_S).frame == 2
    assert [record.frame for record in watcher.tracks(after=moment)] == [2]


def test_what_is_forgotten_is_gone(watcher, fill):
    fill.track(1)

    watcher.forget()

    assert watcher.tracks() == []
    fill.track(2)
    assert watcher.await_track(deadline_s=SOON_S).frame == 2


def test_a_wait_wakes_when_it_comes(watcher, fill):
    timer = threading.Timer(0.02, fill.track, args=(5,))
    timer.start()

    assert watcher.await_track(frame=5, deadline_s=20).frame == 5
    timer.join()


def test_each_record_is_looked_at_once(watcher, fill):
    looked_at = []
    for number in range(3):
        fill.track(number, range_m=float(number))

    def fourth(report):
        looked_at.append(report.range_m)
        return report.range_m == 3.0

    timer = threading.Timer(0.02, fill.track, args=(3,), kwargs={"range_m": 3.0})
    timer.start()
    watcher.await_track(fourth, deadline_s=20)

    assert looked_at == [0.0, 1.0, 2.0, 3.0]
    timer.join()


def test_until_a_condition_of_ones_own(watcher, fill):
    fill.track(1)

    assert watcher.await_until("a track has come", watcher.tracks, deadline_s=SOON_S) == watcher.tracks()
    with pytest.raises(AwaitedError, match=r"waited 0\.05 s until pigs fly: never so"):
        watcher.await_until("pigs fly", lambda: False, deadline_s=SOON_S)


def test_histories_by_band_and_condition(watcher, fill, make_plot):
    fill.frames(0, (make_plot(100.0), make_plot(6000.0)))

    assert len(watcher.frames()) == 1
    for band, ranges in ((RadarRangeBand.RR_LR, [6000.0]), (RadarRangeBand.RR_SR, [100.0])):
        (record,) = watcher.frames(band=band)
        assert [plot.range_m for plot in record.data.detections] == ranges
    assert watcher.frames(frame=1) == []


def test_a_failed_wait_shows_the_nearest_and_all_that_was_seen(watcher, fill):
    fill.track(1, counter=1, range_m=500.0, iff=FriendFoe.FRIEND)
    fill.track(2, counter=2, range_m=90.0, iff=FriendFoe.FOE)
    fill.tracked(2, tracks=1)

    with pytest.raises(AwaitedError) as failure:
        watcher.await_track(where=track(iff=FriendFoe.FOE, range_m=60.0), deadline_s=SOON_S)

    headline, count, nearest, body, second, *rest = str(failure.value).splitlines()
    assert headline == "waited 0.05 s for a track whose iff is FOE and range_m is 60: none came"
    assert count == "2 track messages came; nearest to it:"
    assert nearest == "  qiki.radar.v1.tracks 2: range_m is 90"
    assert '"range_m":90.0' in body
    assert second == "  qiki.radar.v1.tracks 1: iff is FRIEND; range_m is 500"
    assert any("2 track messages, 1 tracked frames" in line for line in rest)
    assert "not this test's own (NATS_URL=nats://127.0.0.1:1" in rest[-1]
