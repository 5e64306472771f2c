"""Warm starts: a process that has imported a stack's supervisor and services, and forks supervisors of further stacks.

    with warm_starts():
        first = Stack.start(options)     # starts the warm server too, and is served by it
        second = Stack.start(others)     # imports nothing

The pytest plugin has them for its session. A process has at most one warm server; it ends with the block, and with
the process however that ends. Stacks that it started go on without it.
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol

from qiki_harness.forks.kernel import can_fork
from qiki_harness.forks.messages import pair, receive, send

_SERVER = [sys.executable, "-P", "-m", "qiki_harness.forks.warmserver"]


class Supervisor(Protocol):
    """A supervisor's process, as its starter holds it: its input, its output, its end."""

    pid: int
    stdin: BinaryIO
    stdout: BinaryIO

    def wait(self) -> int | None:
        """Wait for its end and return its exit status; None if nobody can tell any more."""

    def terminate(self) -> None:
        """Ask it to end."""

    def abandon(self) -> None:
        """Wait for its end no more."""


class ForkedSupervisor:
    """A supervisor that the warm server has forked; its channel tells its exit status."""

    def __init__(self, pid: int, stdin: BinaryIO, stdout: BinaryIO, channel: socket.socket) -> None:
        self.pid, self.stdin, self.stdout = pid, stdin, stdout
        self._channel = channel
        self._status: int | None = None
        self._lock = threading.Lock()

    def wait(self) -> int | None:
        """Wait for its end and return its exit status; None if the warm server has ended before."""
        with self._lock:
            if self._channel.fileno() >= 0:
                message, _ = receive(self._channel)
                self._channel.close()
                self._status = message["status"] if message else None
        return self._status

    def terminate(self) -> None:
        """Ask it to end."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGTERM)

    def abandon(self) -> None:
        """Wait for its end no more."""
        self._channel.close()


class WarmServer:
    """The warm server of this process."""

    def __init__(self, compose_file: Path) -> None:
        self._connection, theirs = pair()
        with theirs:
            command = [*_SERVER, str(compose_file)]
            self._process = subprocess.Popen(command, stdin=theirs.fileno(), start_new_session=True)
        self._lock = threading.Lock()

    def fork(self) -> ForkedSupervisor | None:
        """Fork a supervisor; None if it has to be started by exec."""
        read_input, input_end = os.pipe()
        output_end, write_output = os.pipe()
        ours, theirs = pair()
        environment = dict(os.environ)
        try:
            with self._lock:
                request = {"environment": environment, "folder": str(Path.cwd())}
                send(self._connection, request, (read_input, write_output, theirs.fileno()))
        except OSError:  # it was killed
            answer = None
        else:
            theirs.close()
            answer, _ = receive(ours)
        finally:
            theirs.close()
            os.close(read_input)
            os.close(write_output)
        stdin, stdout = os.fdopen(input_end, "wb"), os.fdopen(output_end, "rb")
        if not answer or "pid" not in answer:
            for end in (stdin, stdout, ours):
                end.close()
            return None
        return ForkedSupervisor(answer["pid"], stdin, stdout, ours)

    def close(self) -> None:
        """End it."""
        self._connection.close()
        self._process.wait()


class _Wanted:
    """How many blocks want warm starts, and the server once there is one."""

    def __init__(self) -> None:
        self.blocks = 0
        self.server: WarmServer | None = None
        self.lock = threading.Lock()


_wanted = _Wanted()


def begin() -> None:
    """Have warm starts from now on. The first start of a stack starts the server."""
    with _wanted.lock:
        _wanted.blocks += 1


def end() -> None:
    """Undo one `begin`; the last ends the server."""
    with _wanted.lock:
        _wanted.blocks -= 1
        server = _wanted.server
        if _wanted.blocks or server is None:
            return
        _wanted.server = None
    server.close()


@contextmanager
def warm_starts() -> Iterator[None]:
    """Have warm starts in a block."""
    begin()
    try:
        yield
    finally:
        end()


def warm_supervisor(compose_file: Path) -> Supervisor | None:
    """Return a supervisor from the warm server; None without one, and where it may not fork."""
    if not _wanted.blocks or os.environ.get("QIKI_START") == "exec" or not can_fork():
        return None
    with _wanted.lock:
        if not _wanted.server:
            _wanted.server = WarmServer(compose_file)
        server = _wanted.server
    return server.fork()
