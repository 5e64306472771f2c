"""A run of a sweep, flown again from the file of its results."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from qiki_harness.errors import HarnessError
from qiki_harness.recording.flown import record_moments
from qiki_harness.sweeps.plan import SweepSpec, plan
from qiki_harness.sweeps.work import Result, Run, attempt_of


def record(run: Run, path: Path, checkout: Path | None = None) -> None:
    """Fly a run, and record all of it.

    Raises:
        RecordingError: the file exists already, or cannot be written.
    """
    attempt = attempt_of(run)
    moments = (moment for step in attempt.steps() for moment in step.moments)
    record_moments(attempt.flight, moments, path, checkout)


def run_of(spec: SweepSpec, key: str, place: int) -> Run:
    """Return a run of a sweep, with its engine as it is now.

    Raises:
        HarnessError: engine or scenario have changed since.
    """
    return runs_of(spec, [(key, place)])[0]


def runs_of(spec: SweepSpec, wanted: Sequence[tuple[str, int]]) -> list[Run]:
    """Return runs of a sweep by their keys and places, with their engines as they are now.

    Raises:
        HarnessError: engine or scenario have changed since.
    """
    runs = plan(spec).runs
    for key, place in wanted:
        if place >= len(runs) or runs[place].key != key:
            label = runs[place].source.label if place < len(runs) else "the sweep"
            raise HarnessError(f"run {key[:12]} cannot be flown again: {label}, or its scenario, has changed since")
    return [runs[place] for _, place in wanted]


def differences(recorded: Result, flown: Result) -> list[str]:
    """Return the fields in which two results of a run differ."""
    one, other = _counted(recorded), _counted(flown)
    return [f"{name}: {one[name]} then, {other[name]} now" for name in one if one[name] != other[name]]


def _counted(result: Result) -> dict[str, Any]:
    return {name: value for name, value in asdict(result).items() if name != "wall_s"}
