"""Measurements, each beside a ceiling or a part of the same run: `tox -e bench`, or `python tests/bench`.

Nothing here passes or fails: it prints what it saw.
"""

import argparse
import asyncio
import platform
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import browser_page
import containers
import digests
import encounters
import envs
import identities
import lockstep
import onlookers
import publishing
import recording
import registering
import stages
import start
import world
from bridge import latency, throughput
from endurance import endure

from qiki_harness.containers import ContainerStack
from qiki_harness.stack import Stack
from qiki_harness.supply.pins import read

BASE_IMAGE = read(start.ROOT).base.tagged
SIZES = {10: 1500, 100: 300}  # detections: frames of the throughput measurement
SIMULATED_S = 60
STEPS = (2, 10)  # ticks
SPEED = 5.0  # of the endurance run
SERVICES = ("q_sim_service", "q_sim_radar", "faststream_bridge")


def main() -> None:
    """Run what was asked for, or what is measured by default."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="*", choices=[*BENCHES, []], help=f"default: {', '.join(DEFAULT)}")
    parser.add_argument(
        "--minutes", type=int, default=30, help="of the endurance run, at five times real time; <= 20 of the page"
    )
    parser.add_argument("--encounters", type=int, default=200, help="how many are flown with each engine")
    parser.add_argument("--seconds", type=float, default=30.0, help="of the onlookers, recorders and the page's delay")
    parser.add_argument(
        "--beside", type=Path, help="another checkout with a .venv, also measured: onlookers, registering, world"
    )
    parser.add_argument("--runs", type=int, default=3, help="repetitions; medians are printed")
    arguments = parser.parse_args()
    print(f"Python {platform.python_version()} on {platform.machine()}, medians of {arguments.runs} runs")
    with tempfile.TemporaryDirectory() as folder:
        for name in arguments.what or DEFAULT:
            BENCHES[name](Path(folder), arguments)


def bench_bridge(folder: Path, runs: int) -> None:
    """Latency and throughput, on a stack that simulates nothing itself."""
    options = start.options(folder / "bridge", QIKI_SCENARIO="empty", QIKI_AUTOSTART="false")
    with Stack.start(options) as stack:
        addresses = stack.wait_healthy().addresses
        for detections in SIZES:
            p50, p99 = asyncio.run(latency(addresses, detections, 200))
            print(f"frame to its last track, {detections:3} detections at 10 Hz: p50 {p50:.2f} ms, p99 {p99:.2f} ms")
        for detections, count in SIZES.items():
            rows = [asyncio.run(throughput(addresses, detections, count, folder)) for _ in range(runs)]
            ours, ingest, each = (start.median(list(column)) for column in zip(*rows, strict=True))
            share = start.median([100 * row[0] / row[1] for row in rows])
            print(f"through the bridge, {detections:3} detections: {ours:.0f} frames/s; bare fast ingest", end="")
            print(f" {ingest:.0f} frames/s, {share:.0f} % of it; bare nats-py {each:.0f} frames/s")


def bench_lockstep(folder: Path, runs: int) -> None:
    """The agent as conductor, with 20 contacts."""
    free = start.median([lockstep.free(folder / f"free{n}", SIMULATED_S) for n in range(runs)])
    print(f"20 contacts, the stack's free run: {free:.1f} times real time")
    for ticks in STEPS:
        paces = [lockstep.conducted(folder / f"lock{ticks}-{n}", ticks, SIMULATED_S) for n in range(runs)]
        pace = start.median(paces)
        print(f"lockstep in steps of {ticks:2} ticks: {pace:.1f} times real time, {100 * pace / free:.0f} % of it")


def bench_containers(folder: Path, runs: int) -> None:
    """The compose stack beside the native one."""
    stack = ContainerStack.apart(start.ROOT / "docker-compose.phase1.yml", "bench")
    stack.build()
    for kind, size in containers.sizes_mb(stack, BASE_IMAGE).items():
        print(f"image {kind}: {size:.0f} MB above {BASE_IMAGE}")
    native = [start.all_healthy(folder / f"native{n}") for n in range(runs)]
    for n in range(runs):
        healthy, again, down = containers.compose_times(stack)
        print(f"compose: all healthy {healthy:.1f} s, up with nothing changed {again:.1f} s, down {down:.1f} s", end="")
        print(f"; native, all healthy: {native[n]:.1f} s")


def bench_start(folder: Path, runs: int) -> None:
    """Start, memory, and a killed broker."""
    start.all_healthy(folder / "first")
    pairs = [
        (start.all_healthy(folder / f"up{n}"), start.all_healthy_by_exec(folder / f"exec{n}")) for n in range(runs)
    ]
    whole, by_exec = (start.median(list(column)) for column in zip(*pairs, strict=True))
    further = start.median(start.further_stacks(folder, runs))
    print(f"all healthy: forked {whole:.2f} s, by exec {by_exec:.2f} s; a further stack of a session {further:.2f} s")
    for how in ("fork", "exec"):
        with start.starts(how), Stack.start(start.options(folder / f"memory-{how}")) as stack:
            sizes = start.memory(stack.wait_healthy())
            private = sum(own for name, (_, own) in sizes.items() if name != "nats")
            print(f"memory ({how}): private {private:.0f} MB but for nats; ", end="")
            print(", ".join(f"{name} {size:.0f} MB, {own:.0f} of it private" for name, (size, own) in sizes.items()))
    with Stack.start(start.options(folder / "start")) as stack:
        info = stack.wait_healthy()
        own = {name: start.median([start.alone(name, info) for _ in range(runs)]) for name in SERVICES}
        slowest = max(own, key=own.__getitem__)
        print(f"all healthy: {whole:.2f} s; alone: " + ", ".join(f"{name} {own[name]:.2f} s" for name in own), end="")
        print(f"; {whole / own[slowest]:.2f} times the slowest")
        back = start.median([asyncio.run(start.first_track_after_kill(stack)) for _ in range(runs)])
        print(f"first track after a killed broker accepts again: {back:.2f} s")


def bench_recording(folder: Path, runs: int, seconds: float) -> None:
    """Recordings in one process, and a recorder beside a stack at two speeds."""
    show(recording.files(folder, runs))
    show(recording.saving(runs))
    show(recording.added_delay(folder, seconds, runs))
    for speed in (1.0, 10.0):
        place = folder / f"speed{speed:g}"
        place.mkdir()
        show(recording.beside_a_stack(place, seconds, speed))


def show(lines: Iterable[str]) -> None:
    """Print lines as they come."""
    for line in lines:
        print(line, flush=True)


DEFAULT = ("bridge", "publishing", "lockstep", "start")
BENCHES: dict[str, Callable[[Path, argparse.Namespace], None]] = {
    "bridge": lambda folder, given: bench_bridge(folder, given.runs),
    "console": lambda folder, given: show(
        browser_page.measure(folder / "console", given.runs, given.seconds, given.minutes)
    ),
    "containers": lambda folder, given: bench_containers(folder, given.runs),
    "digests": lambda _, __: digests.main(),
    "encounters": lambda _, given: show(encounters.measure(given.encounters)),
    "endurance": lambda folder, given: show(endure(folder / "endurance", given.minutes, SPEED)),
    "envs": lambda folder, given: show(envs.lines(folder / "envs", given.runs)),
    "identities": lambda folder, given: show(identities.measure(folder / "identities", given.runs)),
    "lockstep": lambda folder, given: bench_lockstep(folder, given.runs),
    "onlookers": lambda folder, given: show(onlookers.measure(folder / "onlookers", given.seconds, given.beside)),
    "publishing": lambda folder, given: show(publishing.measure(folder, given.runs)),
    "recording": lambda folder, given: bench_recording(folder, given.runs, given.seconds),
    "registering": lambda folder, given: show(registering.registering(folder, given.runs, given.beside)),
    "stages": lambda _, __: stages.main(SIZES),
    "start": lambda folder, given: bench_start(folder, given.runs),
    "world": lambda _, given: show(world.measure(given.runs, given.beside)),
}

if __name__ == "__main__":
    main()
