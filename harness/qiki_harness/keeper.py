"""The workspace's main process: keeps a command running, so that the container outlives it.

    python keeper.py COMMAND [ARGUMENT ...]
    python keeper.py --instead MODULE       run a module in this process, under a debugger say, in its place

A command that ends is started again: at once at first, then after longer and longer pauses. It stays stopped while
something else runs in its place. SIGHUP restarts it, SIGTERM and SIGINT end both.
The file imports nothing of the project, and the image has a copy: the workspace starts even on a broken checkout.
"""

import asyncio
import fcntl
import os
import runpy
import signal
import sys
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

PID_FILE = Path("/tmp/qiki-keeper.pid")  # noqa: S108  # the container's own /tmp
LOCK_FILE = PID_FILE.with_suffix(".lock")  # locked by the process that runs in place of the kept command
POLL_S = 0.1
SHORTEST_S, LONGEST_S = 0.2, 5.0
LIVED_S = 10.0  # a command that ran this long is restarted at once
GRACE_S = 4.5


class Keeper:
    """Runs one command again and again, until a signal ends it."""

    def __init__(self, command: list[str]) -> None:
        self._command = command
        self._ending = asyncio.Event()
        self._called = asyncio.Event()

    async def run(self) -> None:
        """Keep it running."""
        loop = asyncio.get_running_loop()
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, self._end)
        loop.add_signal_handler(signal.SIGHUP, self._called.set)
        pause_s = SHORTEST_S
        while not self._ending.is_set():
            self._called.clear()  # a SIGHUP while nothing ran: the command starts now anyway
            if await asyncio.to_thread(held):
                await _first(self._ending.wait(), asyncio.sleep(POLL_S))
                continue
            began_s = time.monotonic()
            await self._live()
            if self._called.is_set() or time.monotonic() - began_s > LIVED_S:
                pause_s = SHORTEST_S
                continue
            if not self._ending.is_set():
                await _first(self._ending.wait(), self._called.wait(), asyncio.sleep(pause_s))
                pause_s = min(2 * pause_s, LONGEST_S)

    def _end(self) -> None:
        self._ending.set()
        self._called.set()

    async def _live(self) -> None:
        try:
            process = await asyncio.create_subprocess_exec(*self._command)
        except OSError as error:
            print(f"keeper: {self._command[0]}: {error.strerror}", file=sys.stderr, flush=True)
            return
        await _first(process.wait(), self._called.wait())
        if process.returncode is None:
            process.terminate()
            await _first(process.wait(), asyncio.sleep(GRACE_S))
        if process.returncode is None:
            process.kill()
            await process.wait()
        if not self._called.is_set():
            print(f"keeper: {self._command} ended with {process.returncode}", file=sys.stderr, flush=True)


async def _first(*waits: Coroutine[Any, Any, object]) -> None:
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()


def held() -> bool:
    """Return whether something runs in place of the kept command."""
    with LOCK_FILE.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def children(pid: int) -> list[int]:
    """Return the child processes of a process (Linux)."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]


def instead(module: str) -> None:
    """Run a module in this process, in place of the kept command, which comes back when this process ends."""
    lock = os.open(LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o666)
    fcntl.flock(lock, fcntl.LOCK_EX)
    if PID_FILE.exists():
        keeper = int(PID_FILE.read_text(encoding="ascii"))
        os.kill(keeper, signal.SIGHUP)
        while children(keeper):
            time.sleep(POLL_S)
    sys.argv = [module]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def main(command: list[str]) -> None:
    """Write the pid file, and keep a command running."""
    PID_FILE.write_text(f"{os.getpid()}\n", encoding="ascii")
    asyncio.run(Keeper(command).run())


if __name__ == "__main__":
    match sys.argv[1:]:
        case []:
            sys.exit("keeper: no command given")
        case ["--instead", name]:
            instead(name)
        case words:
            main(words)
