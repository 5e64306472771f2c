"""Radar traffic by the second."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from qiki.audit.summary import Counted, Second, Seconds

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
NOON_S = int(NOON.timestamp())


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def test_a_second_ends_with_the_first_message_of_another():
    seconds = Seconds()
    assert seconds.take(Counted(11, at(0.0), 3)) is None
    assert seconds.take(Counted(14, at(0.95), None)) is None
    assert seconds.take(Counted(17, at(0.999), 4)) is None
    assert seconds.take(Counted(20, at(1.0), 5)) == Second(NOON_S, 11, 17, frames=2, unreadable=1, amount=7)
    assert seconds.take(Counted(23, at(7.5), 0)) == Second(NOON_S + 1, 20, 20, frames=1, amount=5)


def test_a_second_that_nothing_follows_ends_a_second_later():
    seconds = Seconds()
    assert seconds.over(at(100)) is None
    seconds.take(Counted(1, at(0.5), 2))
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
        ended.append(seconds.take(Counted(sequence, at(moment_s), amount)))
        if silence:
            ended.append(seconds.over(at(moment_s + 5)))
    ended.append(seconds.over(at(moment_s + 5)))
    found = [second for second in ended if second]
    assert sum(second.frames + second.unreadable for second in found) == len(steps)
    assert sum(second.amount for second in found) == sum(amount or 0 for _, amount, _ in steps)
    places = [place for second in found for place in range(second.first_sequence, second.last_sequence + 1)]
    assert places == list(range(1, len(steps) + 1))
