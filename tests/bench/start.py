"""Time to all healthy beside the slowest service's own start, memory, and the way back after a killed broker."""

import asyncio
import os
import socket
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from clients import connect
from nats.aio.msg import Msg

from qiki.contracts import topics
from qiki_harness.forks.warm import warm_starts
from qiki_harness.stack import Stack, StackInfo, StackOptions

ROOT = Path(__file__).parents[2]


def options(folder: Path, without: tuple[str, ...] = (), **variables: str) -> StackOptions:
    """A stack on free ports, in a folder of its own."""
    file = ROOT / "docker-compose.phase1.yml"
    return StackOptions(file, folder, variables=variables, auto_ports=True, without=without)


def all_healthy(folder: Path) -> float:
    """From the command to all healthy [s]."""
    begin = time.perf_counter()
    with Stack.start(options(folder)) as stack:
        stack.wait_healthy()
        return time.perf_counter() - begin


def all_healthy_by_exec(folder: Path) -> float:
    """The same with an interpreter for each service [s]."""
    with starts("exec"):
        return all_healthy(folder)


def further_stacks(folder: Path, runs: int) -> list[float]:
    """The same for stacks of a process that has a warm server already [s]."""
    with warm_starts():
        all_healthy(folder / "first")
        return [all_healthy(folder / f"further{n}") for n in range(runs)]


@contextmanager
def starts(how: str) -> Iterator[None]:
    """Start services this way in a block."""
    former = os.environ.get("QIKI_START", "")
    os.environ["QIKI_START"] = how
    yield
    os.environ["QIKI_START"] = former


def alone(module: str, info: StackInfo) -> float:
    """From the start of one more process of a service to its ready answer, in a running stack [s]."""
    with socket.create_server(("127.0.0.1", 0)) as free, socket.create_server(("127.0.0.1", 0)) as other:
        port, grpc_port = free.getsockname()[1], other.getsockname()[1]
    environment = os.environ | info.addresses | {"QIKI_HTTP_PORT": str(port), "QSIM_LISTEN": f"127.0.0.1:{grpc_port}"}
    environment |= {"QIKI_STATE_DIR": str(info.folder / "alone"), "QIKI_AUTOSTART": "false"}
    begin = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", module], env=environment, stderr=subprocess.DEVNULL, cwd=ROOT)
    try:
        while not answers(f"http://127.0.0.1:{port}/readyz"):
            if process.poll() is not None:
                raise RuntimeError(f"{module} ended with {process.returncode}")
            time.sleep(0.01)
        return time.perf_counter() - begin
    finally:
        process.terminate()
        process.wait()


def answers(url: str) -> bool:
    """Whether the URL answers 200."""
    try:
        with urllib.request.urlopen(url, timeout=1) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


def memory(info: StackInfo) -> dict[str, tuple[float, float]]:
    """Resident set and private memory of each service's process [MB]."""
    running = {name: psutil.Process(status.pid) for name, status in info.services.items() if status.pid}
    found = {name: process.memory_full_info() for name, process in running.items()}
    return {name: (one.rss / 1e6, one.uss / 1e6) for name, one in found.items()}


async def first_track_after_kill(stack: Stack) -> float:
    """From the moment a killed broker accepts again to the first track received [s]."""
    info = stack.info
    port = info.port("NATS_PORT")
    stack.kill("nats")
    while not listens(port):
        await asyncio.sleep(0.001)
    back = time.perf_counter()
    client = await connect(info.addresses)
    seen = asyncio.get_running_loop().create_future()

    async def received(_: Msg) -> None:
        if not seen.done():
            seen.set_result(time.perf_counter())

    await client.subscribe(topics.TRACKS.subject, cb=received)
    first = await asyncio.wait_for(seen, 30)
    await client.close()
    return first - back


def listens(port: int) -> bool:
    """Whether somebody accepts connections."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def median(values: list[float]) -> float:
    """Middle of several runs."""
    return statistics.median(values)
