"""A recorded run is flown again: the same, or the first message that differs."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from qiki.contracts import topics
from qiki.contracts.headers import FRAME, Message
from qiki.flight import Flight
from qiki.tracking import tracker as tracking
from qiki.world.scenario import load_scenario, scenario_names
from qiki_harness.errors import RecordingError
from qiki_harness.recording.flown import record_flight
from qiki_harness.recording.reader import Recording
from qiki_harness.recording.runs import recorded_run
from qiki_harness.recording.verify import Verdict, verify
from qiki_harness.recording.writer import RecordingWriter


def judge(path: Path) -> Verdict:
    return verify(recorded_run(Recording(path)))


def rewritten(flown: Path, path: Path, change: Callable[[Message], Message | None]) -> Path:
    """A recording of the same messages, some of them changed or left out."""
    recording = Recording(flown)
    with RecordingWriter(path, recording.about) as writer:
        for one in recording.messages():
            if message := change(one.message):
                writer.put(message, one.sequence, one.came_ns)
    return path


@pytest.mark.parametrize("scenario", scenario_names())
def test_each_scenario_is_the_same_again(scenario: str, tmp_path: Path):
    path = tmp_path / "a.mcap"
    record_flight(Flight(load_scenario(scenario)), 2.0, path)
    verdict = judge(path)
    assert verdict.same
    assert (verdict.first, verdict.frames, verdict.gaps) == (0, verdict.run.frames, ())
    assert verdict.groups == ("radar", "truth", "tracker", "guard", "decisions")


def test_orders_are_given_again_at_their_ticks(flown: Path):
    assert judge(flown).same


@pytest.mark.parametrize(
    ("topic", "old", "new", "field"),
    [
        (topics.TRUTH, b'"object_type":4', b'"object_type":5', "contacts[0].object_type"),
        (topics.FRAMES, b'"snr_db":', b'"snr_db":9', "detections[0].snr_db"),
        (topics.TRACKS, b'"miss_count":0', b'"miss_count":1', "miss_count"),
        (topics.TRACKED, b'"tracks":', b'"tracks":1', "tracks"),
        (topics.TRACKED, b'"tracks":', b'"tracks":0.', "tracks"),
    ],
)
def test_the_first_message_that_differs_is_named_with_its_field(flown, tmp_path, topic, old, new, field):
    def change(message: Message) -> Message:
        frame = b'"frame":17,' in message.body if topic is topics.TRUTH else message.headers.get(FRAME) == "17"
        if message.subject != topic.subject or not frame:
            return message
        assert old in message.body
        return replace(message, body=message.body.replace(old, new, 1))

    verdict = judge(rewritten(flown, tmp_path / "a.mcap", change))
    found = verdict.difference
    assert found is not None
    assert (found.frame, found.key[0], found.field) == (17, topic.subject, field)
    assert found.one != found.other
    assert (verdict.first, verdict.last) == (0, 16)
    assert verdict.led_to[0].startswith("order 0 at tick 0: rcs.fire")


def test_a_changed_sign_in_the_tracker_is_found_where_it_begins(flown: Path, monkeypatch):
    step = tracking.Tracker.step

    def turned(self, scan, *rest):
        if scan.t_us % 1_000_000 == 0:
            scan = replace(scan, doppler_mps=-scan.doppler_mps)
        return step(self, scan, *rest)

    monkeypatch.setattr(tracking.Tracker, "step", turned)
    found = judge(flown).difference
    assert found is not None
    assert (found.frame, found.key[0]) == (9, topics.TRACKS.subject)


def test_a_missing_track_is_a_gap_and_an_order_too_many_a_difference(flown: Path, tmp_path: Path):
    def without(message: Message) -> Message | None:
        lost = message.subject == topics.TRACKS.subject and message.headers[FRAME] == "9"
        return None if lost else message

    verdict = judge(rewritten(flown, tmp_path / "a.mcap", without))
    assert verdict.same
    assert verdict.gaps == (9,)

    def coasting(message: Message) -> Message:
        if message.subject != topics.ORDERS.subject:
            return message
        return replace(message, body=message.body.replace(b'"fraction":0.4', b'"fraction":0.5'))

    found = judge(rewritten(flown, tmp_path / "b.mcap", coasting)).difference
    assert found is not None
    assert found.frame == 0


def test_a_recording_that_begins_late_is_compared_from_its_first_whole_frame(flown: Path, tmp_path: Path):
    def late(message: Message) -> Message | None:
        frame = message.headers.get(FRAME)
        return None if frame and int(frame) < 12 else message

    verdict = judge(rewritten(flown, tmp_path / "a.mcap", late))
    assert verdict.same
    assert (verdict.first, verdict.last) == (12, 29)


def test_missing_inputs_are_told(flown: Path, tmp_path: Path):
    def without(topic):
        return lambda message: None if message.subject == topic.subject else message

    with pytest.raises(RecordingError, match=r"the description of run .* is missing"):
        judge(rewritten(flown, tmp_path / "a.mcap", without(topics.RUNS)))
    with pytest.raises(RecordingError, match="it has no frames"):
        judge(rewritten(flown, tmp_path / "b.mcap", without(topics.FRAMES)))

    def first_order_lost(message: Message) -> Message | None:
        return None if b'"number":0,"order"' in message.body else message

    assert len(list(Recording(flown).messages({topics.ORDERS.subject}))) > 1
    with pytest.raises(RecordingError, match=r"orders of run .* are missing"):
        judge(rewritten(flown, tmp_path / "c.mcap", first_order_lost))


def test_a_malformed_message_is_told_in_one_line(flown: Path, tmp_path: Path):
    def spoilt(message: Message) -> Message:
        if message.subject != topics.TRACKED.subject or message.headers[FRAME] != "4":
            return message
        return replace(message, headers={**message.headers, FRAME: "four"})

    with pytest.raises(
        RecordingError, match=r"qiki.tracker.v1.frames\): x-qiki-frame: 'four': expected a whole number"
    ):
        judge(rewritten(flown, tmp_path / "a.mcap", spoilt))


def test_a_run_that_is_not_there_is_named(flown: Path):
    with pytest.raises(RecordingError, match=r"it has no run nobody \(expected one of: "):
        recorded_run(Recording(flown), "nobody")


def test_a_description_of_another_version_is_told(flown: Path, tmp_path: Path):
    def newer(message: Message) -> Message:
        if message.subject != topics.RUNS.subject:
            return message
        return replace(message, body=message.body.replace(b'"scenario":{', b'"scenario":{"gravity":9.8,', 1))

    with pytest.raises(RecordingError, match=r"is of another version: gravity"):
        judge(rewritten(flown, tmp_path / "a.mcap", newer))
