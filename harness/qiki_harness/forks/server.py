"""A stack's fork server: a child of the supervisor that imports what the services need, and forks each service.

It is forked before the supervisor holds anything. A service's process is the child of a child that ends at once, so
that it becomes the supervisor's own: the supervisor waits for it, and it outlives the fork server.
"""

import contextlib
import gc
import os
import select
import signal
import socket
import sys
import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qiki_harness.forks.kernel import close_all_but, die_with
from qiki_harness.forks.messages import pair, receive, send
from qiki_harness.forks.title import take_title

if TYPE_CHECKING:
    from qiki_harness.forks.child import ServiceMain
    from qiki_harness.forks.preload import Imported, Preload

REFUSED = b"refused "
_BLOCKED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_WORDS = 200
_PARENT_POLL_S = 0.0001


@dataclass(frozen=True)
class Connected:
    """The supervisor's end: its fork server, and the folder from which that imports."""

    connection: socket.socket
    pid: int
    folder: Path


def fork_server(folder: Path, preload: "Preload | None" = None) -> "Connected | ServiceMain":
    """Fork a fork server for a stack whose services work in `folder`; with a `preload`, it has imports already.

    Returns twice and more: in the caller its connection, and in each service's process the service's main program,
    which the caller has to run.
    """
    ours, theirs = pair()
    supervisor = os.getpid()
    pid = os.fork()
    if pid:
        theirs.close()
        return Connected(ours, pid, folder)
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, _BLOCKED)
    os.close(ours.detach())
    die_with(supervisor)
    said = give_up_streams(theirs)
    take_title(["qiki", "fork", "server"], "qiki-forks")
    try:
        sys.path.insert(0, str(folder))
        server = ForkServer(theirs, preload or _new_preload(), supervisor, mask, said)
        return server.serve()
    except BaseException:  # services start by exec without it
        send(theirs, {"broke": traceback.format_exc()})
        os._exit(1)


def _new_preload() -> "Preload":
    from qiki_harness.forks.preload import Preload  # noqa: PLC0415  # the supervisor does without

    preload = Preload(os.environ)
    preload.begin()
    return preload


def give_up_streams(connection: socket.socket) -> int:
    """Let go of every other descriptor; return the file that takes what is printed."""
    said = os.memfd_create("said")
    null = os.open(os.devnull, os.O_RDWR)
    for target, source in ((0, null), (1, said), (2, said)):
        os.dup2(source, target)
    close_all_but(connection.fileno(), said)
    return said


class ForkServer:
    """Imports step by step, and between the steps forks what is asked for and imported."""

    def __init__(
        self, connection: socket.socket, preload: "Preload", supervisor: int, mask: set[Any], said: int
    ) -> None:
        from qiki_harness.forks.safety import Safety  # noqa: PLC0415

        self._connection = connection
        self._preload = preload
        self._supervisor = supervisor
        self._mask = mask
        self._said = said
        self._safety = Safety()
        self._waiting: list[tuple[dict[str, Any], list[int]]] = []

    def serve(self) -> "ServiceMain":
        """Serve until the supervisor is gone. Returns in a service's process only."""
        while True:
            if self._asked():
                message, descriptors = receive(self._connection)
                if message is None:
                    os._exit(0)
                if "services" in message:
                    self._preload.add(message["services"], message["environment"])
                else:
                    self._waiting.append((message, descriptors))
            elif self._preload.pending:
                self._preload.step()
            for request in [one for one in self._waiting if self._preload.knows(one[0]["module"])]:
                if service := self._answer(*request):
                    return service
                self._waiting.remove(request)

    def _asked(self) -> bool:
        patience_s = 0 if self._preload.pending else None
        return bool(select.select([self._connection], [], [], patience_s)[0])

    def _answer(self, request: dict[str, Any], descriptors: list[int]) -> "ServiceMain | None":
        """Fork the service, or say on the request's own channel why not. Only the service's process gets it."""
        from qiki_harness.forks.preload import RefusedError  # noqa: PLC0415

        service = None
        try:
            imported = self._preload.check(request["module"], request["environment"], request["folder"])
            self._check_safety()
            service = self._fork(request, imported, descriptors)
        except (RefusedError, OSError) as error:
            with contextlib.suppress(BrokenPipeError):
                os.write(descriptors[-1], REFUSED + str(error).encode(errors="replace")[:1000])
        if not service:
            for descriptor in descriptors:
                os.close(descriptor)
        return service

    def _check_safety(self) -> None:
        from qiki_harness.forks.preload import RefusedError  # noqa: PLC0415

        if words := os.pread(self._said, _WORDS, 0):
            raise RefusedError(f"the imports print {words.decode(errors='replace')!r}")
        requests = [descriptor for _, descriptors in self._waiting for descriptor in descriptors]
        if fault := self._safety.fault({0, 1, 2, self._connection.fileno(), self._said, *requests}):
            raise RefusedError(f"the fork server may not fork: {fault}")

    def _fork(self, request: dict[str, Any], imported: "Imported", descriptors: list[int]) -> "ServiceMain | None":
        gc.freeze()  # what is collected is written to, and would no longer be shared
        if middle := os.fork():
            os.waitpid(middle, 0)
            return None
        middle = os.getpid()
        try:
            if os.fork():
                os._exit(0)
            return self._become(request, imported, descriptors, middle)
        except BaseException:
            traceback.print_exc()
            os._exit(1)

    def _become(
        self, request: dict[str, Any], imported: "Imported", descriptors: list[int], middle: int
    ) -> "ServiceMain":
        """Turn this process, the child of `middle`, into the service's."""
        from qiki_harness.forks import child  # noqa: PLC0415

        log, guardian, channel = descriptors
        os.setsid()
        child.take_streams(0, log, log)
        with contextlib.suppress(BrokenPipeError):  # it may have been killed; the services run on
            os.write(guardian, b"+%d\n" % os.getpid())
        while os.getppid() == middle:
            time.sleep(_PARENT_POLL_S)
        die_with(self._supervisor)
        self._connection.detach()
        close_all_but(channel)
        service = child.ServiceMain(
            request["module"], tuple(request["arguments"]), request["folder"], imported.modules, self._preload
        )
        child.default_signals(self._mask)
        os.chdir(request["folder"])
        child.take_environment(request["environment"])
        service.prepare()
        os.write(channel, b"%d" % os.getpid())
        os.close(channel)
        return service
