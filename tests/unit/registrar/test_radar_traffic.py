"""What a message adds to its second, whatever is in it."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registrar.radar import TRAFFIC, Second, Seconds, Traffic, amount_of, draft_of

FRAMES, TRACKED = TRAFFIC
MOMENT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("traffic", "body", "amount"),
    [
        (FRAMES, b'{"detections":[{},{}]}', 2),
        (FRAMES, b'{"detections":7}', None),
        (FRAMES, b"[]", None),
        (FRAMES, b"", None),
        (TRACKED, b'{"tracks":3}', 3),
        (TRACKED, b'{"tracks":-1}', None),
        (TRACKED, b'{"tracks":1e999}', None),
        (TRACKED, b'{"tracks":%s}' % (b"9" * 5000), None),
    ],
)
def test_a_message_that_cannot_be_counted_is_unreadable(traffic: Traffic, body: bytes, amount: int | None):
    assert amount_of(body, traffic) == amount


@pytest.mark.parametrize(("traffic", "field"), [(FRAMES, "detections"), (TRACKED, "tracks")])
def test_a_second_is_a_record_that_names_its_place(traffic: Traffic, field: str):
    second = Second(int(MOMENT.timestamp()), 3, 9, frames=5, unreadable=2, amount=40)
    draft = draft_of(traffic, "2026-01-01T00:00:00.000000Z", second)
    assert draft.event_id == f"{traffic.topic.subject}:2026-01-01T00:00:00.000000Z:3-9"
    assert (draft.payload[field], draft.payload["frames"], draft.payload["unreadable"]) == (40, 5, 2)
    assert draft.timestamp == MOMENT


NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
NOON_S = int(NOON.timestamp())


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def test_a_second_ends_with_the_first_message_of_another():
    seconds = Seconds()
    assert seconds.take(11, at(0.0), 3) is None
    assert seconds.take(14, at(0.95), None) is None
    assert seconds.take(17, at(0.999), 4) is None
    assert seconds.take(20, at(1.0), 5) == Second(NOON_S, 11, 17, frames=2, unreadable=1, amount=7)
    assert seconds.take(23, at(7.5), 0) == Second(NOON_S + 1, 20, 20, frames=1, amount=5)


def test_a_second_that_nothing_follows_ends_a_second_later():
    seconds = Seconds()
    assert seconds.over(at(100)) is None
    seconds.take(1, at(0.5), 2)
    assert seconds.over(at(1.9)) is None
    assert seconds.over(at(2.0)) == Second(NOON_S, 1, 1, frames=1, amount=2)
    assert seconds.over(at(3.0)) is None


@given(
    st.lists(st.tuples(st.floats(0, 3), st.none() | st.integers(0, 9), st.booleans()), max_size=60),
)
def test_every_message_is_counted_in_one_second_and_places_never_overlap(steps):
    seconds, ended, moment_s = Seconds(), [], 0.0
    for sequence, (pause_s, amount, silence) in enumerate(steps, 1):
        moment_s += pause_s
        ended.append(seconds.take(sequence, at(moment_s), amount))
        if silence:
            ended.append(seconds.over(at(moment_s + 5)))
    ended.append(seconds.over(at(moment_s + 5)))
    found = [second for second in ended if second]
    assert sum(second.frames + second.unreadable for second in found) == len(steps)
    assert sum(second.amount for second in found) == sum(amount or 0 for _, amount, _ in steps)
    places = [place for second in found for place in range(second.first_sequence, second.last_sequence + 1)]
    assert places == list(range(1, len(steps) + 1))


def test_a_message_that_the_broker_lost_and_stored_again_counts_once():
    seconds, begin = Seconds(), datetime(2026, 1, 1, tzinfo=UTC)
    for sequence in range(1, 6):
        assert seconds.take(sequence, begin, 10) is None
    assert seconds.take(4, begin + timedelta(seconds=0.5), 7) is None  # 4 and 5 were lost
    assert seconds.take(5, begin + timedelta(seconds=0.6), None) is None
    ended = seconds.take(6, begin + timedelta(seconds=1.5), 1)
    assert ended is not None
    assert (ended.first_sequence, ended.last_sequence) == (1, 5)
    assert (ended.frames, ended.unreadable, ended.amount) == (4, 1, 37)


def test_a_group_of_which_all_was_lost_is_none():
    seconds, begin = Seconds(), datetime(2026, 1, 1, tzinfo=UTC)
    assert seconds.take(8, begin, 10) is None
    assert seconds.take(8, begin + timedelta(seconds=3), 4) is None
    ended = seconds.over(begin + timedelta(seconds=60))
    assert ended is not None
    assert (ended.first_sequence, ended.frames, ended.amount) == (8, 1, 4)
