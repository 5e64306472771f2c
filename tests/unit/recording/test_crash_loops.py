"""Crash loops: what counts as one, and that it is told once."""

from qiki_harness.recording.crashloop import RESTARTS, WITHIN_S, CrashLoops
from qiki_harness.stack.model import ServiceStatus


def looks(*restarts: tuple[float, int]) -> list[str]:
    loops, found = CrashLoops(), []
    for now_s, count in restarts:
        found += loops.look({"radar": ServiceStatus("radar", "radar.log", restarts=count, exit_code=3)}, now_s)
    return found


def test_restarts_one_after_the_other_are_told_once():
    assert looks((0, 0), (5, 1), (9, 2), (14, 3), (20, 4), (30, 9)) == [
        "radar was restarted 3 times in 9 s (exit code 3)"
    ]


def test_those_that_come_at_once_count_each():
    assert len(looks((0, 0), (1, RESTARTS))) == 1
    assert len(looks((0, 0), (1, RESTARTS + 5))) == 1


def test_rare_ones_and_those_of_before_are_none():
    assert looks(*((number * WITHIN_S, number) for number in range(20))) == []
    assert looks((0, 40), (1, 41), (2, 42)) == []
