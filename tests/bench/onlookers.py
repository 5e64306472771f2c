"""CPU of those who only watch, beside that of the services that they watch, over the same time."""

import contextlib
import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Thread

import psutil
from start import options

from qiki_harness.stack import Stack
from qiki_harness.testing import until

PROGRAM = Path(__file__).parent / "onlooker.py"
SETTLE_S = 5.0  # imports and first draws are over
SIZE = (30, 100)  # lines and columns of the terminal


def measure(folder: Path, seconds: float, beside: Path | None) -> Iterator[str]:
    """Lines of a table: the share of a core of each service, and of each onlooker of this checkout and another."""
    with ExitStack() as ends:
        stack = ends.enter_context(Stack.start(options(folder)))
        info = stack.wait_healthy()
        url = info.addresses["NATS_URL"]
        processes = {name: psutil.Process(status.pid) for name, status in info.services.items() if status.pid}
        for word, python in interpreters(beside).items():
            processes[f"qiki watch, {word}"] = ends.enter_context(watch(python, url))
            for what in ("event", "frames"):
                processes[f"twin that waits for {what}, {word}"] = ends.enter_context(twin(python, url, what))
        time.sleep(SETTLE_S)
        before, began = {name: cpu_s(one) for name, one in processes.items()}, time.monotonic()
        time.sleep(seconds)
        span_s = time.monotonic() - began
        for name, one in processes.items():
            yield f"{name}: {100 * (cpu_s(one) - before[name]) / span_s:.2f} % of a core"


def interpreters(beside: Path | None) -> dict[str, Path]:
    """The Python of this checkout, and of the other one, by its word in the table."""
    others = {"before": beside / ".venv" / "bin" / "python"} if beside else {}
    return {**others, "now": Path(sys.executable)}


def cpu_s(process: psutil.Process) -> float:
    """CPU time of a process [s], with what its threads and ended children took."""
    times = process.cpu_times()
    return times.user + times.system + times.children_user + times.children_system


@contextmanager
def watch(python: Path, url: str) -> Iterator[psutil.Process]:
    """Run `qiki watch` on a terminal of its own."""
    pid, terminal = pty.fork()
    if not pid:
        command = [str(python), "-c", "from qiki_harness.cli import main; main()", "watch", "--nats", url]
        os.execve(command[0], command, {**os.environ, "TERM": "xterm-256color"})
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", *SIZE, 0, 0))
    Thread(target=drain, args=(terminal,), daemon=True).start()
    process = psutil.Process(pid)
    try:
        yield process
    finally:
        process.kill()
        os.waitpid(pid, 0)


def drain(terminal: int) -> None:
    """Read all that is drawn, as a terminal does."""
    with contextlib.suppress(OSError):  # its other end is closed
        while os.read(terminal, 1 << 16):
            pass


@contextmanager
def twin(python: Path, url: str, what: str) -> Iterator[psutil.Process]:
    """Run a twin that waits."""
    command = [str(python), str(PROGRAM), url, what]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=python.parents[2], text=True)
    try:
        assert process.stdout
        until("the twin to be connected", process.stdout.readline)
        yield psutil.Process(process.pid)
    finally:
        process.kill()
        process.wait()
