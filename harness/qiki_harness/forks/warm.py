"""Warm starts: a process that has imported a stack's supervisor and services, and forks supervisors of further stacks.

    with warm_starts():
        first = Stack.start(options)     # starts the warm server too, and is served by it
        second = Stack.start(others)     # imports nothing

The pytest plugin has them for its session. A process has at most one warm server; it ends with the block, and with
the process however that ends. Stacks that it started go on without it.
"""

import contextlib
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Protocol

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


class _Forked:
    """A process that the warm server has forked and reaps; its channel tells its exit status.

    It is signalled by a descriptor, which stands for no other process that gets its number.
    """

    def __init__(self, pid: int, channel: socket.socket, descriptor: int) -> None:
        self.pid = pid
        self._channel = channel
        self._descriptor = descriptor
        self._status: int | None = None
        self._lock = threading.Lock()

    def _tell(self) -> int | None:
        with self._lock:
            if self._channel.fileno() >= 0:
                message, _ = receive(self._channel)
                self._close()
                self._status = message["status"] if message else None
        return self._status

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        with self._lock, contextlib.suppress(ProcessLookupError):
            if self._channel.fileno() >= 0:
                signal.pidfd_send_signal(self._descriptor, number)

    def _close(self) -> None:
        if self._channel.fileno() >= 0:
            self._channel.close()
            os.close(self._descriptor)

    def ended(self, patience_s: float) -> bool:
        """Wait for its end; return whether it has come."""
        return self._channel.fileno() < 0 or bool(select.select([self._channel], [], [], patience_s)[0])


class ForkedSupervisor(_Forked):
    """A supervisor."""

    def __init__(self, pid: int, channel: socket.socket, descriptor: int, stdin: BinaryIO, stdout: BinaryIO) -> None:
        super().__init__(pid, channel, descriptor)
        self.stdin, self.stdout = stdin, stdout

    def wait(self) -> int | None:
        """Wait for its end and return its exit status; None if the warm server has ended before."""
        return self._tell()

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def abandon(self) -> None:
        """Wait for its end no more."""
        with self._lock:
            self._close()


class ForkedService(_Forked):
    """A service outside of a stack. It ends with the warm server."""

    def poll(self) -> int | None:
        """Return its exit status, negative for a signal; None while it runs."""
        return self.wait(0) if self.ended(0) else None

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end and return its exit status; that of SIGKILL if the warm server has ended before.

        Raises:
            subprocess.TimeoutExpired: it runs on.
        """
        if timeout is not None and not self.ended(timeout):
            raise subprocess.TimeoutExpired(str(self.pid), timeout)
        status = self._tell()
        return -signal.SIGKILL if status is None else status

    def kill(self) -> None:
        """Kill it."""
        self.send_signal(signal.SIGKILL)


class WarmServer:
    """The warm server of this process."""

    def __init__(self, compose_file: Path) -> None:
        self._connection, theirs = pair()
        with theirs:
            command = [*_SERVER, str(compose_file)]
            self._process = subprocess.Popen(command, stdin=theirs.fileno(), start_new_session=True)
        self._lock = threading.Lock()

    def fork_supervisor(self) -> ForkedSupervisor | None:
        """Fork a supervisor; None if it has to be started by exec."""
        read_input, input_end = os.pipe()
        output_end, write_output = os.pipe()
        stdin, stdout = os.fdopen(input_end, "wb"), os.fdopen(output_end, "rb")
        request = {"environment": dict(os.environ), "folder": str(Path.cwd())}
        if forked := self._fork(request, read_input, write_output):
            return ForkedSupervisor(*forked, stdin, stdout)
        stdin.close()
        stdout.close()
        return None

    def fork_service(self, module: str, environment: Mapping[str, str], output: int) -> ForkedService | None:
        """Fork `python -m MODULE`; None if it has to be started by exec."""
        request = {"module": module, "environment": dict(environment), "folder": str(Path.cwd())}
        forked = self._fork(request, os.open(os.devnull, os.O_RDONLY), os.dup(output))
        return ForkedService(*forked) if forked else None

    def _fork(self, request: dict[str, Any], given: int, output: int) -> tuple[int, socket.socket, int] | None:
        """Return pid, channel of the exit status and descriptor. Closes its own ends of the streams."""
        ours, theirs = pair()
        answer, descriptors = None, list[int]()
        try:
            with self._lock:
                send(self._connection, request, (given, output, theirs.fileno()))
            theirs.close()
            answer, descriptors = receive(ours)
        except OSError:  # it was killed
            theirs.close()
        finally:
            os.close(given)
            os.close(output)
        if answer and "pid" in answer:
            return answer["pid"], ours, descriptors[0]
        ours.close()
        return None

    def close(self) -> None:
        """End it."""
        self._connection.close()
        self._process.wait()


class _Wanted:
    """The number of blocks that want warm starts, and the server once there is one."""

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
    server = _server(compose_file)
    return server.fork_supervisor() if server else None


def warm_service(compose_file: Path, module: str, environment: Mapping[str, str], output: int) -> ForkedService | None:
    """Return the process of a single service of a compose file; None where it has to be started by exec."""
    server = _server(compose_file)
    return server.fork_service(module, environment, output) if server else None


def _server(compose_file: Path) -> WarmServer | None:
    if not _wanted.blocks or os.environ.get("QIKI_START") == "exec" or not can_fork():
        return None
    with _wanted.lock:
        if not _wanted.server:
            _wanted.server = WarmServer(compose_file)
        return _wanted.server
