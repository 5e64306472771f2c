"""Ports for stacks side by side: each is locked for its supervisor's life, and checked to be free."""

import errno
import fcntl
import os
import random
import socket
from collections.abc import Iterable, Mapping
from pathlib import Path

from qiki_harness.compose import StackPort
from qiki_harness.compose.model import LOOPBACK
from qiki_harness.errors import PortInUseError, StackError

_EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")
_TRIES = 500


class PortLocks:
    """Locked ports. The locks are files held by flock: the system lets go of them when the process ends."""

    def __init__(self, folder: Path, owner: str) -> None:
        self._folder = folder
        self._owner = owner
        self._held: dict[int, int] = {}
        folder.mkdir(parents=True, exist_ok=True)

    def take(self, port: int) -> bool:
        """Lock a port; return False if another stack has it or a program listens there."""
        if port in self._held:
            return False
        descriptor = os.open(self._file(port), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            free = is_free(port)
        except BlockingIOError:
            free = False
        if not free:
            os.close(descriptor)
            return False
        os.truncate(descriptor, 0)
        os.write(descriptor, self._owner.encode())
        self._held[port] = descriptor
        return True

    def owner(self, port: int) -> str | None:
        """Return the stack that holds a port."""
        try:
            with self._file(port).open("r+", encoding="utf-8") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return self._file(port).read_text(encoding="utf-8") or None
        except OSError:
            pass
        return None

    def release(self) -> None:
        """Release all."""
        for descriptor in self._held.values():
            os.close(descriptor)
        self._held.clear()

    def _file(self, port: int) -> Path:
        return self._folder / f"{port}.port"


def assign(ports: Iterable[StackPort], locks: PortLocks, *, wanted: Mapping[str, int], auto: bool) -> dict[str, int]:
    """Return a number for each port: the wanted one, the file's default if it is published, else a free one."""
    fixed = [port for port in ports if port.variable in wanted or (port.published and not auto)]
    numbers = {port.variable: wanted.get(port.variable, port.default) for port in fixed}
    for port in fixed:
        if not locks.take(number := numbers[port.variable]):
            holder = locks.owner(number) or listener(number) or "another program"
            raise PortInUseError(number, port.variable, port.service, holder)
    return numbers | {port.variable: _free(locks) for port in ports if port not in fixed}


def _free(locks: PortLocks) -> int:
    candidates = free_range()
    for _ in range(_TRIES):
        port = random.choice(candidates)  # noqa: S311
        if locks.take(port):
            return port
    raise StackError(f"no free port found between {candidates.start} and {candidates.stop}")


def free_range() -> range:
    """Return ports below those that the system gives to outgoing connections: no client takes one by chance."""
    try:
        lowest = int(_EPHEMERAL.read_text(encoding="ascii").split()[0])
    except (OSError, ValueError):
        lowest = 32_768
    return range(10_000, lowest) if lowest > 11_000 else range(20_000, 30_000)


def is_free(port: int) -> bool:
    """Return whether a port of loopback is free to listen on."""
    with socket.socket() as probe:
        # As servers do: connections that linger from a former run are no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
            probe.listen(1)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return False
            raise
    return True


def listener(port: int) -> str | None:
    """Return the program that listens on a port, if the system shows it."""
    import psutil  # noqa: PLC0415  # only for the message of a failure

    try:
        listening = (one for one in psutil.net_connections("tcp") if one.status == psutil.CONN_LISTEN)
        pids = [one.pid for one in listening if one.laddr[1:] == (port,) and one.pid]
        return f"{psutil.Process(pids[0]).name()} (pid {pids[0]})" if pids else None
    except psutil.Error:
        return None
