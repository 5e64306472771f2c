"""The output of a process is compared with a reference: the first difference is named by frame, field and values."""

from dataclasses import replace
from pathlib import Path

import pytest

from qiki.contracts import topics
from qiki.contracts.events import RUN_STARTED
from qiki.contracts.headers import FRAME, OWN_POSITION, Message
from qiki_harness.golden.comparison import first_of, sentence
from qiki_harness.golden.reference import Reference
from qiki_harness.recording.difference import ABSENT, THERE, Difference

LAST = 9


@pytest.fixture(scope="module")
def reference(recorded: Path, run) -> Reference:
    return Reference(recorded, run)


def of(reference: Reference, subject: str, frame: int) -> Message:
    return next(one for one in reference.of({subject}) if one.headers.get(FRAME) == str(frame))


def difference(reference: Reference, old: Message, *new: Message) -> Difference | None:
    """The first difference if some messages are there in place of one."""
    given = [one for message in reference.messages for one in (new if message is old else (message,))]
    return first_of(reference.timeline, reference.messages, given)


def changed(message: Message, old: bytes, new: bytes) -> Message:
    assert old in message.body
    return replace(message, body=message.body.replace(old, new, 1))


def test_the_same_messages_and_once_more_in_another_order_are_the_same(reference):
    twice = [*reference.messages, *reversed(reference.messages)]
    assert first_of(reference.timeline, reference.messages, twice) is None


@pytest.mark.parametrize(("factor", "same"), [(1 + 1e-8, True), (1 - 1e-8, True), (1 + 1e-5, False), (-1, False)])
def test_numbers_that_are_near_are_the_same(reference, factor, same):
    track = of(reference, topics.TRACKS.subject, 6)
    range_m = track.body.partition(b'"range_m":')[2].partition(b",")[0]
    other = b"%.17g" % (float(range_m) * factor)
    found = difference(reference, track, changed(track, b'"range_m":' + range_m, b'"range_m":' + other))
    assert (found is None) == same
    if found:
        assert (found.frame, found.key[0], found.field) == (6, topics.TRACKS.subject, "range_m")
        assert (found.one, found.other) == (range_m.decode(), str(float(other)))


@pytest.mark.parametrize(("old", "new"), [(b'"schema_version":1', b'"schema_version":2'), (b"null", b"0.0")])
def test_whatever_is_no_number_with_a_point_is_compared_exactly(reference, old, new):
    frame = of(reference, topics.FRAMES.subject, 3)
    found = difference(reference, frame, changed(frame, old, new))
    assert found
    assert found.frame == 3


def test_the_own_position_in_a_header_may_be_near_too(reference):
    frame = of(reference, topics.FRAMES.subject, LAST)
    x, y, z = frame.headers[OWN_POSITION].split()

    def moved(up_m: float) -> Message:
        return replace(frame, headers={**frame.headers, OWN_POSITION: f"{x} {y} {float(z) + up_m!r}"})

    assert difference(reference, frame, moved(1e-9)) is None
    found = difference(reference, frame, moved(1e-3))
    assert found
    assert (found.frame, found.field) == (LAST, f"header {OWN_POSITION}")


def test_truth_and_all_else_that_is_missing_or_too_much_is_a_difference(reference):
    truth = reference.of({topics.TRUTH.subject})[4]
    missing = difference(reference, truth)
    assert missing
    assert (missing.frame, missing.key[0], missing.one, missing.other) == (4, topics.TRUTH.subject, THERE, ABSENT)

    track = of(reference, topics.TRACKS.subject, LAST)
    later = replace(track, headers={**track.headers, FRAME: "50", "Nats-Msg-Id": "another"})
    extra = difference(reference, track, track, later)
    assert extra
    assert (extra.frame, extra.key, extra.one, extra.other) == (LAST, (track.subject, "another"), ABSENT, THERE)


def test_what_names_no_frame_belongs_to_the_newest_one_of_its_time(reference):
    def frame(message: Message) -> int:
        return reference.timeline.number(message)

    assert [frame(one) for one in reference.of({RUN_STARTED.subject})] == [0]
    assert [frame(one) for one in reference.of({topics.ORDERS.subject})] == [1]  # at tick 4, so in the fifth
    assert [frame(one) for one in reference.of({topics.TELEMETRY.subject})] == [0, *range(LAST + 1)]


def test_the_sentence_names_frame_message_field_and_values(reference):
    track = of(reference, topics.TRACKS.subject, 6)
    found = difference(reference, track, changed(track, b'"age_s":', b'"age_s":-'))
    assert found
    lines = sentence("the bridge", "run.mcap", found).splitlines()
    assert lines[0] == "the bridge differs from run.mcap from frame 6 on, at 2026-01-01T00:00:00.700000Z:"
    assert lines[1] == f"  qiki.radar.v1.tracks  {track.headers['Nats-Msg-Id']}"
    assert lines[2].startswith("  age_s: recorded 0.")
