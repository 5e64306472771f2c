"""A frame that is not the run's does not make the run's own frames old."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from structlog.testing import capture_logs

from faststream_bridge.frames import PoisonError, StoredFrame
from faststream_bridge.progress import LOG_EVERY_S, JumpError, OldFrames
from faststream_bridge.runs import Runs

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
STORED = datetime(2026, 11, 30, 10, tzinfo=UTC)
SENSOR = UUID("6f1c3d1e-0000-4000-8000-00000000000f")
Stored = Callable[..., StoredFrame]
Make = Callable[[], Runs]


def later(seconds: float) -> datetime:
    return EPOCH + timedelta(seconds=seconds)


@pytest.fixture
def runs(make_runs: Make, stored: Stored) -> Runs:
    """Ten frames are tracked."""
    made = make_runs()
    for number in range(10):
        assert made.step(stored(number), STORED + timedelta(seconds=0.1 * number)) is not None
    return made


def tracked(runs: Runs, frames: list[StoredFrame]) -> list[int]:
    """The numbers of those that give tracks."""
    steps = [runs.step(one) for one in frames]
    return [one.number for one in steps if one is not None]


def test_a_number_that_does_not_fit_into_its_time_is_refused_and_the_next_frame_is_tracked(runs: Runs, stored: Stored):
    with pytest.raises(JumpError, match=r"999999999 is 999999990 frames after .* 0.1 s later \(expected at most 3 "):
        runs.step(stored(999_999_999, timestamp=later(1.0)))
    assert tracked(runs, [stored(10)]) == [10]


def test_a_time_that_no_simulation_reaches_meanwhile_is_refused(runs: Runs, stored: Stored):
    forged = stored(999_999_999, timestamp=datetime(2099, 1, 1, tzinfo=UTC))
    with pytest.raises(JumpError, match=r"timestamp: .* s after the last frame, which was stored 0.1 s before"):
        runs.step(forged, STORED + timedelta(seconds=1.0))
    assert tracked(runs, [stored(10)]) == [10]


def test_after_the_brokers_clock_was_set_back_frames_are_tracked(runs: Runs, stored: Stored):
    assert runs.step(stored(10, timestamp=later(1e6)), STORED - timedelta(hours=1)) is not None
    assert runs.step(stored(11, timestamp=later(1e6 + 1)), STORED - timedelta(hours=1)) is not None


@pytest.mark.parametrize("number", [10, 11, 500])
def test_a_jump_that_the_run_does_not_follow_is_undone_with_the_tracks_as_they_were(
    runs: Runs, make_runs: Make, stored: Stored, number: int
):
    before = runs.snapshot()[0]["tracker"]
    forged = stored(number, timestamp=later(50.0))
    assert tracked(runs, [forged]) == [number]
    with capture_logs() as lines:
        assert tracked(runs, [stored(one) for one in range(10, 14)]) == []
        restored = make_runs()
        restored.restore(json.loads(json.dumps(runs.snapshot())))
        assert tracked(runs, [stored(one) for one in range(14, 200)]) == list(range(14, 200))
    assert [(one["event"], one["to"]) for one in lines] == [
        ("frames were not the run's, it is taken back behind them", 9)
    ]
    assert tracked(restored, [stored(one) for one in range(14, 200)]) == list(range(14, 200))
    assert restored.snapshot() == runs.snapshot()
    never_forged = make_runs()
    tracked(never_forged, [stored(one) for one in range(10)])
    assert never_forged.snapshot()[0]["tracker"] == before
    tracked(never_forged, [stored(one) for one in range(14, 200)])
    assert never_forged.snapshot()[0]["tracker"] == runs.snapshot()[0]["tracker"]


def test_a_run_whose_first_frame_is_forged_begins_with_its_own(make_runs: Make, stored: Stored):
    runs = make_runs()
    assert tracked(runs, [stored(999_999_999, timestamp=later(1e9))]) == [999_999_999]
    assert tracked(runs, [stored(one) for one in range(20)]) == list(range(4, 20))


def test_another_radar_is_taken_back_by_time(make_runs: Make, stored: Stored):
    runs = make_runs()
    frames = [stored(one, run=None, sensor=SENSOR) for one in range(30)]
    assert len(tracked(runs, frames[:10])) == 10
    assert len(tracked(runs, [stored(0, run=None, sensor=SENSOR, timestamp=later(1e9))])) == 1
    assert len(tracked(runs, frames[10:])) == 16


def test_one_forged_frame_after_the_other_does_not_hold_the_run_up(runs: Runs, stored: Stored):
    given = list[int]()
    for number in range(10, 200):
        if number % 10 == 0:
            given += tracked(runs, [stored(1_000_000 + number, timestamp=later(100_000 + number))])
        given += tracked(runs, [stored(number)])
    assert len([number for number in given if number < 1_000_000]) > 90


def test_a_jump_that_the_run_follows_is_true_and_what_came_before_it_stays_old(runs: Runs, stored: Stored):
    assert tracked(runs, [stored(one) for one in range(100, 130)]) == list(range(100, 130))
    assert tracked(runs, [stored(one) for one in range(10, 60)]) == []
    assert tracked(runs, [stored(130)]) == [130]


def test_frames_that_come_again_after_a_jump_do_not_undo_it(runs: Runs, stored: Stored):
    """As behind a broker's power failure: its radar sends what it lost, and the tracker has it."""
    assert tracked(runs, [stored(one) for one in range(20, 30)]) == list(range(20, 30))
    assert tracked(runs, [stored(one) for one in (*range(5, 10), *range(20, 30))]) == []
    assert tracked(runs, [stored(30)]) == [30]


def test_a_radar_that_was_off_for_hours_continues(runs: Runs, stored: Stored):
    at = STORED + timedelta(seconds=1)
    frames = [stored(number, timestamp=later(20_000 + number)) for number in range(10, 40)]
    assert [step.number for one in frames if (step := runs.step(one, at)) is not None] == list(range(10, 40))


def test_a_frame_without_a_run_is_refused_before_it_can_jump(runs: Runs, stored: Stored):
    with pytest.raises(PoisonError, match="UUID"):
        runs.step(stored(7, run="mine"))


def test_old_frames_are_said_at_once_and_then_at_intervals(stored: Stored):
    old = OldFrames()
    with capture_logs() as lines:
        for count in range(100):
            old.note(stored(3), sequence=count, now_s=LOG_EVERY_S * count / 40)
    assert [one["frames"] for one in lines] == [1, 40, 40]
    assert {(one["event"], one["newest_frame"]) for one in lines} == {("old frames dropped", 3)}
