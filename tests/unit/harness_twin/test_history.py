"""Histories and waits."""

import threading
import time
from functools import partial

import pytest

from qiki.contracts import topics
from qiki.contracts.enums import FriendFoe, RadarRangeBand
from qiki.contracts.fields import Payload
from qiki.contracts.topics import Topic
from qiki_harness.twin import AwaitedError, ForeignStack
from qiki_harness.twin.history import InterruptedWaitError, Ledger
from qiki_harness.twin.watcher import Watcher
from qiki_harness.twin.where import below, noun, track
from qiki_harness.twin.wire import Wire

SOON_S = 0.05
NOWHERE = "nats://127.0.0.1:1"


def test_each_topic_has_its_history_of_the_subjects_that_it_covers(watcher, ledger):
    subjects = {
        "qiki.radar.v1.frames": watcher.frames,
        "qiki.radar.v1.frames.lr": partial(watcher.frames, band=RadarRangeBand.RR_LR),
        "qiki.radar.v1.tracks.sr": partial(watcher.frames, band=RadarRangeBand.RR_SR),
        "qiki.radar.v1.tracks": watcher.tracks,
        "qiki.tracker.v1.frames": watcher.tracked_frames,
        "qiki.estimates.v1.tracks": watcher.estimates,
        "qiki.events.v1.health": watcher.events,
        "qiki.dlq.v1.qiki.radar.v1.frames": watcher.dead_letters,
        "qiki.telemetry": watcher.telemetry,
        "qiki.truth.v1.contacts": watcher.truth,
        "qiki.responses.control": watcher.acknowledgements,
        "qiki.agent.v1.state": watcher.agent_states,
    }
    for subject in subjects:
        ledger.add(subject, b"", None)
    ledger.add("qiki.something.else", b"", None)

    assert {subject: [record.subject for record in look()] for subject, look in subjects.items()} == {
        subject: [subject] for subject in subjects
    }


def test_a_guard_alert_is_an_event_too(watcher, ledger):
    ledger.add(topics.GUARD.subject, b"", None)

    assert len(watcher.events()) == len(watcher.history(topics.GUARD)) == 1


def test_requests_have_no_history(ledger):
    """A subscriber beside the receiver would hide from senders that the receiver is not there."""
    without = {topic for topic in topics.TOPICS if topic not in ledger.topics}
    assert without == {topics.COMMANDS, topics.TELEMETRY_REQUESTS}


class Beacon(Payload):
    """What a new topic carries."""

    battery_v: float


BEACONS = Topic("qiki.beacons.v1", Beacon, "emergency beacon", "a test", "a topic that only this test knows", 1.0)


def test_a_new_topic_needs_its_row_and_its_model_only():
    ledger = Ledger((*topics.TOPICS, BEACONS))
    watcher = Watcher(ForeignStack({"NATS_URL": NOWHERE}), ledger, Wire(NOWHERE, ledger))
    ledger.add(BEACONS.subject, b'{"battery_v": 12.5}', None)
    moment = watcher.now()
    ledger.add(BEACONS.subject, b'{"battery_v": 11.0}', None)

    assert [record.data.battery_v for record in watcher.history(BEACONS)] == [12.5, 11.0]
    assert watcher.await_message(BEACONS, after=moment, deadline_s=SOON_S).data == Beacon(battery_v=11.0)
    assert watcher.await_message(BEACONS, noun(BEACONS)(battery_v=below(12)), deadline_s=SOON_S).data.battery_v == 11
    with pytest.raises(AwaitedError, match=r"for an emergency beacon whose battery_v is 3: none came") as failed:
        watcher.await_message(BEACONS, battery_v=3.0, deadline_s=SOON_S)
    assert "2 emergency beacons came; nearest to it:" in str(failed.value)
    with pytest.raises(TypeError, match="an emergency beacon has no field 'volts'"):
        watcher.history(BEACONS, volts=3.0)


def test_an_interrupted_wait_ends_and_so_do_later_ones(watcher):
    timer = threading.Timer(0.02, watcher.interrupt)
    timer.start()

    with pytest.raises(InterruptedWaitError):
        watcher.await_track(deadline_s=20)
    with pytest.raises(InterruptedWaitError):
        watcher.await_until("pigs fly", lambda: False, deadline_s=20)
    with pytest.raises(InterruptedWaitError):
        watcher.check_interrupted()
    timer.join()


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


def test_what_a_killed_broker_has_lost_is_withdrawn_from_the_histories_of_its_stream(watcher, ledger):
    frame, track, tracked = topics.FRAMES.subject, topics.TRACKS.subject, topics.TRACKED.subject
    for sequence, subject in enumerate((frame, track, track, frame), 1):
        ledger.add(subject, b"", None, sequence)
        ledger.add(tracked, b"", None, sequence)
    ledger.add(topics.TELEMETRY.subject, b"", None)
    moment = watcher.now()

    ledger.withdraw("QIKI_RADAR_V1", 2)
    ledger.add(track, b"again", None, 3)

    assert watcher.await_track(after=moment, deadline_s=SOON_S).body == b"again"
    assert [record.sequence for record in watcher.frames()] == [1]
    assert [(record.sequence, record.body) for record in watcher.tracks()] == [(2, b""), (3, b"again")]
    assert len(watcher.tracked_frames()) == 4
    assert len(watcher.telemetry()) == 1


def test_what_a_stream_had_before_it_was_made_again_is_not_withdrawn(watcher, ledger):
    for sequence in (7, 8, 1, 2):
        ledger.add(topics.TRACKS.subject, b"", None, sequence)

    ledger.withdraw("QIKI_RADAR_V1", 0)

    assert [record.sequence for record in watcher.tracks()] == [7, 8]


def test_a_wait_wakes_when_it_comes(watcher, fill):
    timer = threading.Timer(0.02, fill.track, args=(5,))
    timer.start()

    assert watcher.await_track(frame=5, deadline_s=20).frame == 5
    timer.join()


def test_a_wait_for_a_topic_looks_only_when_that_topic_has_grown(watcher, fill, ledger):
    looks = []
    waits = threading.Event()

    def look():
        looks.append(len(watcher.tracked_frames()))
        waits.set()
        return watcher.tracked_frames() or None

    def publish():
        waits.wait()
        for number in range(500):
            fill.track(number)
        fill.tracked(1, tracks=500)

    thread = threading.Thread(target=publish)
    thread.start()
    began_s = time.monotonic()
    assert ledger.wait(look, 20, topics.TRACKED)
    thread.join()

    by_the_clock = (time.monotonic() - began_s) / 0.1
    assert looks[-1] == 1
    assert len(looks) <= 3 + by_the_clock


def test_what_comes_during_a_look_is_looked_at_at_once(watcher, fill, ledger, monkeypatch):
    monkeypatch.setattr("qiki_harness.twin.history._LOOK_AGAIN_S", 60.0)

    def look():
        found = watcher.tracks()
        if not found:
            fill.track(1)
        return found or None

    began_s = time.monotonic()
    assert ledger.wait(look, 60, topics.TRACKS)
    assert time.monotonic() - began_s < 30


def test_a_wait_that_is_over_is_woken_no_more(watcher, fill, ledger):
    fill.track(1)
    watcher.await_track(deadline_s=SOON_S)
    with pytest.raises(AwaitedError):
        watcher.await_frame(deadline_s=SOON_S)

    assert ledger._waits == ()


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
    assert count == "2 tracks came; nearest to it:"
    assert nearest == "  qiki.radar.v1.tracks 2: range_m is 90"
    assert '"range_m":90.0' in body
    assert second == "  qiki.radar.v1.tracks 1: iff is FRIEND; range_m is 500"
    assert any("2 tracks, 1 tracked frames" in line for line in rest)
    assert "not this test's own (NATS_URL=nats://127.0.0.1:1" in rest[-1]
