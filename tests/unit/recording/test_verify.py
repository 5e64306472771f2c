"""A recorded run is flown again: the same, or the first message that differs."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from qiki.contracts import topics
from qiki.contracts.headers import FRAME, Message
from qiki.flight import Flight
from qiki.flight.digest import GROUP_OF, TRACKER
from qiki.guard import load_rules
from qiki.tracking import tracker as tracking
from qiki.world.scenario import load_scenario, scenario_names
from qiki.world.world import SimWorld
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
    assert verdict.led_to[0].startswith("frame 17 at 2026-01-01T00:00:01.800000Z: 2 detections, own position -")
    assert verdict.led_to[1].startswith("order 0: rcs.fire at tick 0")


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
    assert (verdict.gaps, verdict.digest) == ((9,), None)

    def coasting(message: Message) -> Message:
        if message.subject != topics.ORDERS.subject:
            return message
        return replace(message, body=message.body.replace(b'"fraction":0.4', b'"fraction":0.5'))

    found = judge(rewritten(flown, tmp_path / "b.mcap", coasting)).difference
    assert found is not None
    assert found.frame == 0


def test_a_missing_frame_is_a_gap(flown: Path, tmp_path: Path):
    def without(message: Message) -> Message | None:
        lost = message.headers.get(FRAME) == "10" or b'"frame":10,' in message.body
        return None if lost else message

    verdict = judge(rewritten(flown, tmp_path / "a.mcap", without))
    assert verdict.same
    assert (verdict.gaps, verdict.digest, verdict.last) == ((10,), None, 29)


def test_frames_that_are_not_flown_any_more_are_a_difference(flown: Path, monkeypatch: pytest.MonkeyPatch):
    look = SimWorld._look
    monkeypatch.setattr(SimWorld, "_look", lambda self: None if self.tick_count > 41 else look(self))
    verdict = judge(flown)
    found = verdict.difference
    assert found is not None
    assert (verdict.same, verdict.last, found.frame) == (False, 19, 20)
    assert (found.key[0], found.field, found.one, found.other) == (topics.TRUTH.subject, "", "(there)", "(absent)")


def test_nothing_that_can_be_compared_is_not_the_same(flown: Path, tmp_path: Path):
    def without(message: Message) -> Message | None:
        return None if message.subject == topics.TRACKED.subject else message

    verdict = judge(rewritten(flown, tmp_path / "a.mcap", without))
    assert (verdict.same, verdict.difference, verdict.frames) == (False, None, 0)


def test_a_late_bridge_is_no_gap(flown: Path, tmp_path: Path):
    recording = Recording(flown)
    path = tmp_path / "a.mcap"
    late_ns = 15 * 10**9
    with RecordingWriter(path, recording.about) as writer:
        for one in recording.messages():
            late = late_ns if GROUP_OF.get(one.message.subject) == TRACKER else 0
            writer.put(one.message, one.sequence, one.came_ns + late)
    assert judge(path).digest == judge(flown).digest


def test_other_rules_of_the_guard_are_given(tmp_path: Path):
    rules = load_rules().model_copy(
        update={"rules": tuple(one.model_copy(update={"max_range_m": 5000.0}) for one in load_rules().rules)}
    )
    path = tmp_path / "a.mcap"
    record_flight(Flight(load_scenario("mixed-traffic"), rules=rules), 3.0, path)
    assert not judge(path).same
    assert verify(recorded_run(Recording(path)), rules).same


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
