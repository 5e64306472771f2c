"""A run that is measured: a native stack of its own, whose world begins once all services are ready."""

import asyncio
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from qiki.runtime.terminal import echo
from qiki_harness.budgets.arrivals import listening
from qiki_harness.budgets.calibration import calibrating
from qiki_harness.budgets.processes import Processes
from qiki_harness.budgets.table import AtSpeed, Growth, Use
from qiki_harness.stack import Stack, StackOptions

FRAMES_PER_S = 10
SETTLE_S = 5.0  # of the world, at its speed: caches are warm, and every contact is a track
_DEADLINE_S = 60.0


def measure(compose_file: Path, folder: Path, speed: str, seconds: float) -> AtSpeed:
    """Return what a stack takes at a speed, over so many seconds."""
    variables = {"QIKI_AUTOSTART": "false", "QIKI_SPEED": speed, "QIKI_SCENARIO": "mixed-traffic"}
    options = StackOptions(compose_file, folder, name="budgets", variables=variables, auto_ports=True)
    _say(f"speed {speed}, {seconds:g} s")
    with Stack.start(options) as stack:
        stack.wait_healthy()
        return asyncio.run(_watch(stack, float(speed), seconds))


async def _watch(stack: Stack, speed: float, seconds: float) -> AtSpeed:
    info = stack.info
    processes = Processes(info)
    async with listening(info.addresses["NATS_URL"], info.addresses.get("QIKI_KEYS_DIR")) as listener:
        await listener.start_world(speed)
        await listener.frames(int(SETTLE_S * speed * FRAMES_PER_S), _DEADLINE_S)
        with calibrating() as machine, _elsewhere(processes):
            cpu_s, disk, began_s = processes.cpu_s(), _volumes(stack), time.monotonic()
            listener.begin()
            await asyncio.sleep(seconds)
            span_s = time.monotonic() - began_s
            used = {name: after - cpu_s[name] for name, after in processes.cpu_s().items()}
            grown = {name: after - disk.get(name, 0.0) for name, after in _volumes(stack).items()}
        private_mb = processes.private_mb()
        _say("resident " + ", ".join(f"{name} {size:.0f} MB" for name, size in processes.resident_mb().items()))
        processes.check(stack.info)
    return AtSpeed(
        calibration_ms=machine.loop_ms,
        services={name: Use(cpu_percent=100 * cpu / span_s, private_mb=private_mb[name]) for name, cpu in used.items()},
        topics=listener.flows(span_s, machine.jitter_ms),
        disk={name: Growth(mb_per_min=max(0.0, 60 * mb / span_s)) for name, mb in grown.items()},
    )


@contextmanager
def _elsewhere(processes: Processes) -> Iterator[None]:
    """Say how much of the machine other programs took: where it is a lot, the figures are less sure."""
    ours, all_s, began_s = processes.cpu_s(), _busy_s(), time.monotonic()
    yield
    used_s = sum(processes.cpu_s().values()) - sum(ours.values())
    cores = (_busy_s() - all_s - used_s) / (time.monotonic() - began_s)
    _say(f"other programs took {max(cores, 0.0):.1f} of {psutil.cpu_count()} cores in the meantime")


def _say(text: str) -> None:
    echo(f"budgets: {text}", stream=sys.stderr)


def _busy_s() -> float:
    times = psutil.cpu_times()
    return float(times.user + times.nice + times.system)


def _volumes(stack: Stack) -> dict[str, float]:
    """Return the size of each volume, and of the logs, on disk [MB]."""
    volumes = (path for path in stack.folder.data.iterdir() if path.is_dir() and not path.name.startswith("key"))
    folders = [stack.folder.logs, *volumes]  # keys do not grow
    return {folder.name: sum(map(_size, folder.rglob("*"))) / 1e6 for folder in folders}


def _size(path: Path) -> int:
    try:
        return path.stat().st_blocks * 512
    except FileNotFoundError:  # replaced by its next version
        return 0
