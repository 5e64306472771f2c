"""Pacing by a clock that the test turns."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from q_sim_service.ticker import Pacer


class Clock:
    """Monotonic seconds, set by the test."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def paced(speed: float) -> tuple[Pacer, Clock]:
    clock = Clock()
    pacer = Pacer(clock)
    pacer.begin(speed)
    return pacer, clock


def test_twenty_ticks_a_second():
    pacer, clock = paced(1.0)
    assert pacer.due == 0
    clock.now_s += 1.001
    assert pacer.due == 20
    pacer.count()
    assert pacer.due == 19


def test_speed_scales():
    pacer, clock = paced(20.0)
    clock.now_s += 1.0001
    assert pacer.due == 400


def test_the_wait_ends_when_the_next_tick_is_due():
    pacer, clock = paced(2.0)
    assert pacer.wait_s == pytest.approx(0.025)
    clock.now_s += 0.01
    assert pacer.wait_s == pytest.approx(0.015)
    clock.now_s += 1.0
    assert pacer.wait_s == 0.0


def test_at_no_speed_nothing_is_ever_due():
    pacer, clock = paced(0.0)
    clock.now_s += 1e6
    assert (pacer.due, pacer.wait_s, pacer.behind_s) == (0, None, 0.0)


def test_behind_is_what_is_owed_beyond_the_tick_at_hand():
    pacer, clock = paced(1.0)
    clock.now_s += 0.051
    assert pacer.behind_s == 0.0
    clock.now_s += 1.0
    assert pacer.behind_s == pytest.approx(1.0)


def test_a_new_speed_forgets_what_was_owed():
    pacer, clock = paced(1000.0)
    clock.now_s += 10.0
    pacer.begin(1.0)
    assert pacer.due == 0


@given(st.floats(0.1, 50.0), st.lists(st.floats(0.0, 0.5), max_size=30))
def test_ticks_done_when_due_never_run_ahead_nor_fall_behind(speed: float, pauses_s: list[float]):
    pacer, clock = paced(speed)
    ticks = 0
    for pause_s in pauses_s:
        clock.now_s += pause_s
        while pacer.due > 0:
            pacer.count()
            ticks += 1
    elapsed_s = (clock.now_s - 1000.0) * speed
    assert ticks * 0.05 <= elapsed_s + 1e-6
    assert ticks * 0.05 > elapsed_s - 0.05 - 1e-6
