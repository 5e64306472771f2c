"""One tracker for each run, each frame once."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID, uuid5

import pytest
from numpy.linalg import LinAlgError
from structlog.testing import capture_logs

from faststream_bridge.frames import PoisonError, StoredFrame
from faststream_bridge.runs import Runs
from qiki.contracts.enums import RadarTrackStatus
from qiki.contracts.ids import track_id
from qiki.radar import RadarParameters

RUN = UUID("6f1c3d1e-0000-4000-8000-000000000001")
OTHER = UUID("6f1c3d1e-0000-4000-8000-000000000002")
SENSOR = UUID("6f1c3d1e-0000-4000-8000-00000000000f")
COARSE = RadarParameters(range_floor_m=100.0, angle_floor_deg=9.0).figures
Stored = Callable[..., StoredFrame]
Make = Callable[[], Runs]


def test_a_frame_gives_its_runs_tracks(make_runs: Make, stored: Stored):
    tracked = make_runs().step(stored(0))
    assert tracked is not None
    assert (tracked.run, tracked.key, tracked.number) == (str(RUN), "0", 0)
    assert tracked.frame_id == stored(0).frame.frame_id
    assert list(tracked.reports.track_id) == [str(track_id(RUN, 0))]


@pytest.mark.parametrize("again", [0, 1, 2])
def test_a_frame_at_or_before_the_last_of_its_run_is_nothing_new(make_runs: Make, stored: Stored, again: int):
    runs = make_runs()
    for number in range(3):
        runs.step(stored(number))
    assert runs.step(stored(again)) is None
    assert runs.step(stored(3)) is not None


def test_a_gap_in_the_numbers_is_no_hindrance(make_runs: Make, stored: Stored):
    runs = make_runs()
    runs.step(stored(0))
    tracked = runs.step(stored(5))
    assert tracked is not None
    assert tracked.number == 5


def test_a_new_run_has_new_tracks_and_the_old_one_continues(make_runs: Make, stored: Stored):
    runs = make_runs()
    runs.step(stored(0))
    other = runs.step(stored(0, run=str(OTHER)))
    again = runs.step(stored(1))
    assert other is not None
    assert again is not None
    assert list(other.reports.track_id) == [str(track_id(OTHER, 0))]
    assert list(again.reports.track_id) == [str(track_id(RUN, 0))]


def test_a_run_that_begins_in_its_middle_does_not_name_tracks_as_its_lost_beginning_did(
    make_runs: Make, stored: Stored
):
    tracked = make_runs().step(stored(7))
    assert tracked is not None
    assert list(tracked.reports.track_id) == [str(track_id(uuid5(RUN, "from:7"), 0))]


def test_another_radar_is_ordered_by_time_and_numbered_as_it_comes(make_runs: Make, stored: Stored):
    runs = make_runs()
    numbers = [4, 5, 5, 3, 9]
    tracked = [runs.step(stored(number, run=None, sensor=SENSOR)) for number in numbers]
    assert [one and (one.run, one.number) for one in tracked] == [
        (str(SENSOR), 0),
        (str(SENSOR), 1),
        None,
        None,
        (str(SENSOR), 2),
    ]
    assert tracked[0] is not None
    assert tracked[0].key == str(tracked[0].frame_id)


def test_restored_runs_continue_exactly_as_the_original(make_runs: Make, stored: Stored):
    runs = make_runs()
    for number in range(5):
        runs.step(stored(number))
        runs.step(stored(number, run=None, sensor=SENSOR))
    restored = make_runs()
    restored.restore(json.loads(json.dumps(runs.snapshot())))
    for number in range(3, 20):
        for next_frame in (stored(number), stored(number, run=None, sensor=SENSOR)):
            one, other = runs.step(next_frame), restored.step(next_frame)
            assert (one is None) == (other is None)
            if one and other:
                assert (one.key, one.number) == (other.key, other.number)
                assert one.judgement == other.judgement
                assert one.reports.rows() == other.reports.rows()
    assert restored.snapshot() == runs.snapshot()


@pytest.mark.parametrize("run", [str(RUN), None])
def test_a_run_is_tracked_as_its_radar_is_said_to_be_and_after_a_restart_too(
    make_runs: Make, stored: Stored, run: str | None
):
    """A plot's own noise is all that a new track has: a coarse radar's is large."""
    runs = make_runs()
    first = runs.step(replace(stored(0, run), radar=COARSE))
    plain = make_runs().step(stored(0, run))
    assert first is not None
    assert plain is not None
    ratio = first.reports.position_covariance[0, [0, 3, 5]] / plain.reports.position_covariance[0, [0, 3, 5]]
    assert (ratio > 100).all()
    restored = make_runs()
    restored.restore(json.loads(json.dumps(runs.snapshot())))
    one, other = runs.step(stored(1, run)), restored.step(stored(1, run))
    assert one is not None
    assert other is not None
    assert one.reports.rows() == other.reports.rows()
    assert restored.snapshot() == runs.snapshot()


def test_a_snapshot_without_radar_figures_continues_with_the_default_radar(make_runs: Make, stored: Stored):
    runs, restored = make_runs(), make_runs()
    runs.step(stored(0))
    restored.restore([{key: value for key, value in one.items() if key != "radar"} for one in runs.snapshot()])
    assert restored.snapshot() == runs.snapshot()


def test_many_radars_in_turn_keep_their_tracks(make_runs: Make, stored: Stored):
    runs, sensors = make_runs(), [uuid5(SENSOR, str(one)) for one in range(20)]
    with capture_logs() as lines:
        for number in range(20):
            tracked = [runs.step(stored(number, run=None, sensor=sensor)) for sensor in sensors]
    assert [one and (one.number, one.reports.status.tolist()) for one in tracked] == [
        (19, [RadarTrackStatus.TRACKED])
    ] * 20
    assert lines == []


def test_the_run_that_is_idle_longest_is_dropped_first(
    make_runs: Make, stored: Stored, monkeypatch: pytest.MonkeyPatch
):
    """A radar that never pauses outlives any number of the simulator's resets; each that is forgotten is told once."""
    monkeypatch.setattr("faststream_bridge.runs.MAX_RUNS", 8)
    runs, resets = make_runs(), [str(uuid5(RUN, str(reset))) for reset in range(24)]
    with capture_logs() as lines:
        for number, reset in enumerate(resets):
            assert runs.step(stored(number, run=None, sensor=SENSOR)) is not None
            assert runs.step(stored(0, run=reset)) is not None
    assert {one["run"]: one["last"] for one in runs.snapshot()} == {str(SENSOR): 23} | dict.fromkeys(resets[-7:], 0)
    assert [one["run"] for one in lines] == resets[:-7]
    assert {one["reason"] for one in lines} == {"more than 8 runs"}


def test_crowds_of_other_runs_are_dropped_before_they_fill_the_memory(
    make_runs: Make, stored: Stored, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("faststream_bridge.runs.MAX_TRACKS", 2)
    runs, sensors = make_runs(), [uuid5(SENSOR, str(one)) for one in range(4)]
    with capture_logs() as lines:
        for sensor in sensors:
            runs.step(stored(0, run=None, sensor=sensor))
    assert [one["run"] for one in runs.snapshot()] == [str(one) for one in sensors[2:]]
    assert [one["reason"] for one in lines] == ["3 tracks in all runs (expected at most 2)"] * 2


def test_a_run_is_over_when_only_others_have_frames_for_long_and_a_restart_does_not_lengthen_it(
    make_runs: Make, stored: Stored, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("faststream_bridge.runs.IDLE_FRAMES", 10)
    runs = make_runs()
    runs.step(stored(0))
    for number in range(10):
        runs.step(stored(number, run=None, sensor=SENSOR))
    restored = make_runs()
    restored.restore(json.loads(json.dumps(runs.snapshot())))
    assert [one["run"] for one in restored.snapshot()] == [str(RUN), str(SENSOR)]
    restored.step(stored(10, run=None, sensor=SENSOR))
    assert [one["run"] for one in restored.snapshot()] == [str(SENSOR)]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"run": "not a uuid"}, "UUID"),
        ({"timestamp": datetime(2025, 1, 1, tzinfo=UTC)}, "older than the one before it"),
    ],
)
def test_a_frame_that_no_tracker_can_take_is_poison_and_changes_nothing(
    make_runs: Make, stored: Stored, change: dict, problem: str
):
    runs = make_runs()
    runs.step(stored(0))
    before = runs.snapshot()
    with pytest.raises(PoisonError, match=problem):
        runs.step(stored(1, **change))
    assert runs.snapshot() == before
    assert runs.step(stored(1)) is not None


@pytest.mark.parametrize("bug", [ValueError("shapes (2,) and (3,)"), LinAlgError("Singular matrix")])
def test_a_bug_in_the_tracker_does_not_pass_for_a_poison_frame(
    make_runs: Make, stored: Stored, monkeypatch: pytest.MonkeyPatch, bug: Exception
):
    """numpy's own errors are ValueErrors; what was half done when one came must not be tracked on."""

    def break_off(*_: object) -> None:
        raise bug

    runs = make_runs()
    runs.step(stored(0))
    monkeypatch.setattr("qiki.tracking.tracker.score", break_off)
    with pytest.raises(type(bug), match=r"shapes|Singular"):
        runs.step(stored(1))
