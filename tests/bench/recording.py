"""Costs of recordings: writing, size, checks, seeking, flying again; a recorder beside the stack that it records."""

import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import TypeVar

import psutil
from onlookers import SETTLE_S, cpu_s
from start import options

from qiki.flight import Flight
from qiki.world.scenario import load_scenario
from qiki_harness.cli.options import QIKI
from qiki_harness.recording.check import summarise
from qiki_harness.recording.flown import record_flight
from qiki_harness.recording.reader import Recording
from qiki_harness.recording.runs import recorded_run
from qiki_harness.recording.verify import verify
from qiki_harness.stack import Stack
from qiki_harness.testing import until

T = TypeVar("T")
SCENARIO, SECONDS = "mixed-traffic", 60.0
LONG, LONG_S = "collision", 3600.0


def files(folder: Path, runs: int) -> Iterator[str]:
    """Lines: a minute of a scenario flown bare, recorded and verified; an hour of another one checked and sought in."""
    times: dict[str, list[float]] = {"flown": [], "flown and recorded": [], "verified": []}
    for run in range(runs):
        path = folder / f"{run}.mcap"
        times["flown"].append(spent(lambda: [moment.tick for moment in flight().fly(SECONDS)])[0])
        times["flown and recorded"].append(spent(lambda: record_flight(flight(), SECONDS, path))[0])  # noqa: B023
        spent_s, verdict = spent(lambda: verify(recorded_run(Recording(path))))  # noqa: B023
        assert verdict.same
        times["verified"].append(spent_s)
    for name, each in times.items():
        yield f"{SCENARIO}, {name}: {SECONDS / median(each):.0f} times real time"
    yield f"{SCENARIO}: {(folder / '0.mcap').stat().st_size / 1e6 / (SECONDS / 60):.1f} MB a minute"
    long = folder / "long.mcap"
    record_flight(Flight(load_scenario(LONG), agent=None), LONG_S, long)
    check_s, summary = spent(lambda: summarise(Recording(long)))
    late_ns = summary.begin_ns + round(0.9 * (summary.end_ns - summary.begin_ns))
    seek_s, found = spent(lambda: next(Recording(long).messages(from_ns=late_ns)))
    assert found.came_ns >= late_ns
    yield f"{LONG}, an hour, {long.stat().st_size / 1e6:.0f} MB: checked in {check_s:.3f} s, sought in {seek_s:.3f} s"


def beside_a_stack(folder: Path, seconds: float, speed: float) -> Iterator[str]:
    """Lines: the share of a core of a recorder and of each service, and how far the recorder is behind."""
    with Stack.start(options(folder / "stack", QIKI_SPEED=str(speed))) as stack:
        info = stack.wait_healthy()
        path = folder / "live.mcap"
        words = ("record", str(path), "--name", stack.folder.path.name, "--run-dir", str(stack.folder.path.parent))
        recorder = subprocess.Popen([*QIKI, *words], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        until("it is written", lambda: path.exists() and path.stat().st_size > 1e5)
        time.sleep(SETTLE_S)
        processes = {name: psutil.Process(status.pid) for name, status in info.services.items() if status.pid}
        processes["recorder"] = psutil.Process(recorder.pid)
        before, began = {name: cpu_s(one) for name, one in processes.items()}, time.monotonic()
        time.sleep(seconds)
        span_s = time.monotonic() - began
        for name, one in processes.items():
            yield f"speed {speed:g}, {name}: {100 * (cpu_s(one) - before[name]) / span_s:.2f} % of a core"
        recorder.terminate()
        recorder.wait(60)
    (run,) = summarise(Recording(path)).runs
    yield f"speed {speed:g}: {run.frames} frames recorded, missing: {'; '.join(run.faults) or 'nothing'}"


def flight() -> Flight:
    """The flight of a minute."""
    return Flight(load_scenario(SCENARIO), agent=None)


def spent(work: Callable[[], T]) -> tuple[float, T]:
    """Return the time that work takes, and its result."""
    began = time.perf_counter()
    result = work()
    return time.perf_counter() - began, result
