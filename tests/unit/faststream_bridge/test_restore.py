"""What the bridge begins with: the snapshot's tracks, or none where it does not fit."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import structlog

from faststream_bridge.app import restore
from faststream_bridge.frames import StoredFrame
from faststream_bridge.runs import Runs
from faststream_bridge.snapshot import Snapshot, SnapshotFile
from faststream_bridge.stream import Position

STREAM = "2026-01-01 00:00:00+00:00"
WHERE = Position(STREAM, STREAM, 1, 100, 5, 0, 0, 0)


def without(one: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in one.items() if name != key}


def with_episode(one: dict[str, Any], change: Callable[[dict[str, Any]], dict[str, Any]]) -> dict[str, Any]:
    """With each of its guard's episodes changed."""
    judge = {rule: {track: change(told) for track, told in tracks.items()} for rule, tracks in one["judge"].items()}
    assert judge != one["judge"]
    return one | {"judge": judge}


MISFITS: dict[str, Callable[[list[dict[str, Any]]], Any]] = {
    "no list": lambda _: None,
    "a list of something else": lambda _: [None],
    "no tracker": lambda runs: [without(runs[0], "tracker")],
    "a tracker that is none": lambda runs: [runs[0] | {"tracker": "AAAA"}],
    "no names": lambda runs: [runs[0] | {"identities": None}],
    "no judge": lambda runs: [runs[0] | {"judge": None}],
    "an episode with more": lambda runs: [with_episode(runs[0], lambda one: one | {"more": 1})],
    "an episode that is none": lambda runs: [with_episode(runs[0], lambda _: None)],  # type: ignore[arg-type,return-value]
}


@pytest.fixture
def begin(tmp_path: Path) -> Callable[[Runs, Any], int]:
    """Restore what is in a snapshot that covers sequence 9; the sequence to begin behind."""

    def run(runs: Runs, kept: Any) -> int:
        file = SnapshotFile(tmp_path)
        file.write(Snapshot(STREAM, 9, None, kept).to_bytes())
        service: Any = SimpleNamespace(log=structlog.get_logger())
        frames: Any = None  # not asked: it is not known when the frame at 9 was stored
        return asyncio.run(restore(service, runs, file, WHERE, frames))

    return run


@pytest.fixture
def kept(make_runs: Callable[[], Runs], stored: Callable[..., StoredFrame]) -> list[dict[str, Any]]:
    """What is kept of a run with an alert."""
    runs = make_runs()
    for number in range(10):
        runs.step(stored(number))
    return runs.snapshot()


def test_a_snapshot_that_fits_is_restored(
    make_runs: Callable[[], Runs], begin: Callable[[Runs, Any], int], kept: list[dict[str, Any]]
):
    runs = make_runs()
    assert begin(runs, kept) == 9
    assert runs.snapshot() == kept


@pytest.mark.parametrize("misfit", MISFITS.values(), ids=MISFITS)
def test_a_snapshot_that_does_not_fit_is_refused(
    make_runs: Callable[[], Runs],
    begin: Callable[[Runs, Any], int],
    kept: list[dict[str, Any]],
    misfit: Callable[[list[dict[str, Any]]], Any],
):
    runs = make_runs()
    with structlog.testing.capture_logs() as said:
        assert begin(runs, misfit(kept)) == WHERE.floor
    assert [one["event"] for one in said] == ["snapshot refused, tracks begin again"]
    assert runs.snapshot() == []
