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


def test_seconds_are_over_when_the_last_of_their_messages_is_a_second_old():
    seconds = Seconds()
    assert seconds.over(at(100)) == []
    for sequence, moment_s, amount in [(11, 0.0, 3), (14, 0.95, None), (17, 0.999, 4), (20, 1.0, 5), (23, 7.5, 0)]:
        seconds.take(sequence, at(moment_s), amount)
    assert seconds.over(at(1.9)) == []
    first = Second(NOON_S, 11, 17, frames=2, unreadable=1, amount=7)
    assert seconds.over(at(2.0)) == [first]
    second, third = Second(NOON_S + 1, 20, 20, frames=1, amount=5), Second(NOON_S + 7, 23, 23, frames=1)
    assert seconds.over(at(60)) == [second, third]
    assert seconds.over(at(61)) == []


@given(
    st.lists(st.tuples(st.floats(0, 3), st.none() | st.integers(0, 9), st.booleans()), max_size=60),
)
def test_every_message_is_counted_in_one_second_and_places_never_overlap(steps):
    seconds, found, moment_s = Seconds(), list[Second](), 0.0
    for sequence, (pause_s, amount, looked) in enumerate(steps, 1):
        moment_s += pause_s
        seconds.take(sequence, at(moment_s), amount)
        if looked:
            found += seconds.over(at(moment_s + 1.5))
    found += seconds.over(at(moment_s + 5))
    assert sum(second.frames + second.unreadable for second in found) == len(steps)
    assert sum(second.amount for second in found) == sum(amount or 0 for _, amount, _ in steps)
    places = [place for second in found for place in range(second.first_sequence, second.last_sequence + 1)]
    assert places == list(range(1, len(steps) + 1))


def test_messages_that_the_broker_lost_and_stored_again_count_once():
    seconds = Seconds()
    for sequence, moment_s in [(1, 0.1), (2, 0.5), (3, 0.9), (4, 1.0), (5, 1.1)]:
        seconds.take(sequence, at(moment_s), 10)
    seconds.take(3, at(1.5), 7)  # 3 to 5 were lost, of two seconds
    seconds.take(4, at(1.6), None)
    seconds.take(5, at(2.6), 1)
    assert seconds.over(at(60)) == [
        Second(NOON_S, 1, 2, frames=2, amount=20),
        Second(NOON_S + 1, 3, 4, frames=1, unreadable=1, amount=7),
        Second(NOON_S + 2, 5, 5, frames=1, amount=1),
    ]


def test_a_group_of_which_all_was_lost_is_none():
    seconds = Seconds()
    seconds.take(8, at(0), 10)
    seconds.take(8, at(3), 4)
    assert seconds.over(at(60)) == [Second(NOON_S + 3, 8, 8, frames=1, amount=4)]
