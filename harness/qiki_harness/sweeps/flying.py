"""The flight of a sweep: what is not flown yet is flown, and kept as it comes."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from qiki.tasks.criteria import Criteria
from qiki_harness.recording.bundle import Exhibit, write_bundle
from qiki_harness.sweeps.again import record
from qiki_harness.sweeps.plan import Sweep
from qiki_harness.sweeps.store import Results, Row
from qiki_harness.sweeps.work import Result, Run

MOST_BUNDLES = 10
"""Of a sweep: a crash that every run has is one crash."""


class Crew(Protocol):
    """A group of workers, here or on a cluster."""

    def fly(self, runs: Iterable[Run], criteria: Criteria, stop: Callable[[], bool]) -> Iterator[Result]:
        """Yield the results as they come; after `stop` those of the runs that fly already."""


@dataclass(frozen=True)
class Progress:
    """A sweep's progress.

    Attributes:
        done: runs that have results, with those of former times
        flown: since this time's begin
        crashed: of `flown`
    """

    done: int
    total: int
    flown: int
    crashed: int
    seconds: float

    @property
    def rate(self) -> float:
        """Runs a second."""
        return self.flown / self.seconds if self.seconds else 0.0

    @property
    def left_s(self) -> float | None:
        """Time left; None while it is unknown."""
        return (self.total - self.done) / self.rate if self.rate else None


def fly_sweep(sweep: Sweep, results: Results, crew: Crew, stop: Callable[[], bool]) -> Iterator[Progress]:
    """Fly the runs that have no result yet, and yield the progress with each result that is kept."""
    places = {run.key: (place, run) for place, run in enumerate(sweep.runs)}
    kept = results.keys
    waiting = [run for run in sweep.runs if run.key not in kept]
    begun_s, flown, crashed = time.monotonic(), 0, 0
    yield Progress(len(kept), len(sweep.runs), 0, 0, 0.0)
    for result in crew.fly(waiting, sweep.criteria, stop):
        results.add(*places[result.key], result)
        flown, crashed = flown + 1, crashed + result.crashed
        yield Progress(len(kept) + flown, len(sweep.runs), flown, crashed, time.monotonic() - begun_s)


def bundle_crashes(sweep: Sweep, results: Results, stop: Callable[[], bool]) -> Iterator[Path]:
    """Write the bundles of the first runs whose engines failed, and yield them; the runs are flown again for it."""
    runs = {run.key: run for run in sweep.runs}
    rows = results.rows()
    left = MOST_BUNDLES - sum(row.bundle is not None for row in rows)
    for row in [row for row in rows if row.result.faults and row.bundle is None][: max(0, left)]:
        if stop():
            return
        folder = results.path.with_name(f"{results.path.name}.bundles")
        path = write_bundle(folder, f"sweep::{row.result.key[:12]}", _failure(row), [_exhibit(runs[row.result.key])])
        results.add_bundle(row.result.key, f"{folder.name}/{path.name}")
        yield path


def _exhibit(run: Run) -> Exhibit:
    return Exhibit(lambda path: record(run, path), {})


def _failure(row: Row) -> str:
    faults = "\n".join(f"engine {name} {fault}" for name, fault in row.result.faults.items())
    return f"{', '.join(filter(None, row.group))}, seed {row.seed}\n{faults}"
