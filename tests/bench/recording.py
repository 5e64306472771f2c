"""Costs of recordings: writing, size, checks, seeking, flying again; a recorder beside the stack that it records."""

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from statistics import median
from typing import TypeVar

import psutil
from onlookers import SETTLE_S, cpu_s
from start import options

from qiki.contracts import topics
from qiki.flight import Flight, SavedFlight
from qiki.world.scenario import load_scenario
from qiki_harness.cli.options import QIKI
from qiki_harness.recording.check import summarise
from qiki_harness.recording.flown import record_flight
from qiki_harness.recording.reader import Recording
from qiki_harness.recording.runs import recorded_run
from qiki_harness.recording.verify import verify
from qiki_harness.stack import Stack
from qiki_harness.testing import until
from qiki_harness.twin import Twin
from qiki_harness.twin.backing import OwnStack

T = TypeVar("T")
SCENARIO, SECONDS = "mixed-traffic", 60.0
LONG, LONG_S = "collision", 3600.0
SAVED = ("mixed-traffic", "swarm-50")


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


def saving(runs: int) -> Iterator[str]:
    """Lines: a run is saved, and another flight goes on from there, at moments a second apart."""
    for scenario in SAVED:
        flown, other = Flight(load_scenario(scenario)), Flight(load_scenario(scenario))
        other.load(flown.save())  # the first time, the fields' types are compiled
        times: dict[str, list[float]] = {"saved": [], "loaded": [], "to bytes and back": []}
        for _ in range(10 * runs):
            list(flown.fly(1.0))
            save_s, saved = spent(flown.save)
            load_s, _ = spent(lambda: other.load(saved))  # noqa: B023
            wire_s, _ = spent(lambda: SavedFlight.from_bytes(saved.to_bytes()))  # noqa: B023
            for each, took_s in zip(times.values(), (save_s, load_s, wire_s), strict=True):
                each.append(took_s)
        shown = ", ".join(f"{name} in {1000 * median(each):.2f} ms" for name, each in times.items())
        yield f"{scenario}: {shown}"


def added_delay(folder: Path, seconds: float, runs: int) -> Iterator[str]:
    """Lines: from a frame to its last track as a client sees them, in turn with and without a recorder beside."""
    with Stack.start(options(folder / "delay", QIKI_SPEED="1")) as stack:
        stack.wait_healthy()
        delays: dict[str, list[float]] = {"without": [], "with": []}
        with closing(Twin(OwnStack(stack))) as twin:
            for number in range(runs):
                delays["without"] += _delays(twin, seconds)
                recorder = _recorder(stack, folder / f"delay-{number}.mcap")
                delays["with"] += _delays(twin, seconds)
                recorder.terminate()
                recorder.wait(60)
    medians = {name: 1000 * median(each) for name, each in delays.items()}
    shown = ", ".join(f"{name} a recorder {delay_ms:.2f} ms" for name, delay_ms in medians.items())
    yield f"frame to notice, p50 of {len(delays['with'])}: {shown}, added {medians['with'] - medians['without']:.2f} ms"


def _delays(twin: Twin, seconds: float) -> list[float]:
    """Return the times from a frame's message to its notice's, as they come in so many seconds [s]."""
    time.sleep(SETTLE_S)
    begin_s = time.monotonic()
    time.sleep(seconds)
    frames = {one.frame: one.came_s for one in twin.history(topics.FRAMES) if one.came_s >= begin_s}
    notices = {one.frame: one.came_s for one in twin.history(topics.TRACKED) if one.came_s >= begin_s}
    return [came_s - frames[frame] for frame, came_s in notices.items() if frame in frames]


def _recorder(stack: Stack, path: Path) -> "subprocess.Popen[bytes]":
    """Start a recorder on a stack, and wait until it writes."""
    words = ("record", str(path), "--name", stack.folder.path.name, "--run-dir", str(stack.folder.path.parent))
    recorder = subprocess.Popen([*QIKI, *words], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    until("it is written", lambda: path.exists() and path.stat().st_size > 1e5)
    return recorder


def beside_a_stack(folder: Path, seconds: float, speed: float) -> Iterator[str]:
    """Lines: the share of a core of a recorder and of each service, and how far the recorder is behind."""
    with Stack.start(options(folder / "stack", QIKI_SPEED=str(speed))) as stack:
        info = stack.wait_healthy()
        path = folder / "live.mcap"
        recorder = _recorder(stack, path)
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
