"""A child process that leads a group, and the end of both.

A process and its group keep their numbers until the process is reaped, and only this module reaps it. So a group is
signalled only before that, and no signal can reach others that have got the number since.
"""

import asyncio
import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path


class Leader:
    """A child that no other part of this process waits for. At its end its group is killed, then it is reaped."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[int] = self._loop.create_future()
        self._descriptor = _pidfd(pid)
        if self._descriptor is None:
            threading.Thread(target=self._await_end, daemon=True).start()
        else:
            self._loop.add_reader(self._descriptor, self._reap)

    async def wait(self) -> int:
        """Wait for its end; return the exit code, negative for a signal."""
        return await asyncio.shield(self._ended)

    def send_signal(self, number: int) -> None:
        """Send a signal; ProcessLookupError after its end."""
        if self._ended.done():
            raise ProcessLookupError
        os.kill(self.pid, number)

    def kill_group(self) -> None:
        """Kill it and all that it started; nothing after its end, which has done so."""
        if not self._ended.done():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)

    def _reap(self) -> None:
        if self._descriptor is not None:
            self._loop.remove_reader(self._descriptor)
            os.close(self._descriptor)
        self.kill_group()
        self._ended.set_result(os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1]))

    def _await_end(self) -> None:
        """Wait for its end and leave it to be reaped, where no descriptor shows it."""
        os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
        with contextlib.suppress(RuntimeError):  # the loop has ended before
            self._loop.call_soon_threadsafe(self._reap)


def start_leader(
    command: Sequence[str], *, folder: Path, environment: Mapping[str, str], output: int, kept: Sequence[int] = ()
) -> Leader:
    """Start a command in a group of its own; its output goes to a descriptor."""
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
        start_new_session=True, pass_fds=kept,
    )  # fmt: skip
    process.returncode = 0  # it is not `subprocess` that reaps it
    return Leader(process.pid)


def _pidfd(pid: int) -> int | None:
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):  # another system, or a container that forbids it
        return None
