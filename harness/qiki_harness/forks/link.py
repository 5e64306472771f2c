"""The supervisor's side of its fork server: asks for services' processes, and waits for them as for its own."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from qiki_harness.compose import ComposeService
from qiki_harness.forks.kernel import adopt_orphans
from qiki_harness.forks.messages import receive, send
from qiki_harness.forks.server import REFUSED, Connected
from qiki_harness.stack.leader import Leader
from qiki_harness.stack.runfolder import say

_ANSWER = 4096


class NotForkedError(Exception):
    """A service that has to be started by exec; the message says why."""


class ForkLink:
    """The fork server of this stack, or the reason why there is none."""

    def __init__(self, server: Connected | str) -> None:
        self._server = server if isinstance(server, Connected) else None
        self._why_not = server if isinstance(server, str) else ""
        self._asking = 0

    def prepare(self, services: Iterable[ComposeService]) -> None:
        """Have the fork server import these services, in their order."""
        if not self._server:
            return
        asyncio.get_running_loop().add_reader(self._server.connection, self._lost)
        mine = [service for service in services if self._module(service)]
        message = {"services": [self._module(one) for one in mine], "environment": shared_environment(mine)}
        with contextlib.suppress(OSError):  # it is gone, or will not know a service
            send(self._server.connection, message)

    async def start(self, service: ComposeService, log: int, guardian: int) -> Leader:
        """Fork a service's process.

        Raises:
            NotForkedError: it has to be started by exec.
        """
        asked = asyncio.ensure_future(self._ask(service, log, guardian))
        try:
            return await asyncio.shield(asked)
        except asyncio.CancelledError:
            asked.add_done_callback(_end_unwanted)
            raise

    async def _ask(self, service: ComposeService, log: int, guardian: int) -> Leader:
        if not self._server:
            raise NotForkedError(self._why_not)
        if not (module := self._module(service)):
            raise NotForkedError(f"its command is not `python -m MODULE` in {self._server.folder}")
        request = {
            "module": module, "arguments": service.command[3:], "environment": dict(service.environment),
            "folder": str(service.working_dir),
        }  # fmt: skip
        reading, writing = os.pipe()
        with self._adopting():
            try:
                send(self._server.connection, request, (log, guardian, writing))
            except OSError as error:
                os.close(reading)
                raise NotForkedError(f"the fork server is gone: {error.strerror}") from None
            finally:
                os.close(writing)
            answer = await _read(reading)
        if answer.isdigit():
            return Leader(int(answer))
        raise NotForkedError(answer.removeprefix(REFUSED).decode() or "the fork server has ended")

    def close(self) -> None:
        """End the fork server."""
        if self._server:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._server.pid, signal.SIGKILL)
            self._lost()

    def _module(self, service: ComposeService) -> str | None:
        """Return the module of a service that a fork server can have imported."""
        match service.command:
            case ("python", "-m", module, *_) if self._server and service.working_dir == self._server.folder:
                return module
        return None

    def _lost(self) -> None:
        """Reap it: it ends with this connection, on which it says only why it broke."""
        if server := self._server:
            message, _ = receive(server.connection)
            if message:
                say(f"the fork server broke; services are started by exec:\n{message['broke']}")
            self._server, self._why_not = None, "the fork server has ended"
            asyncio.get_running_loop().remove_reader(server.connection)
            server.connection.close()
            os.waitpid(server.pid, 0)

    @contextmanager
    def _adopting(self) -> Iterator[None]:
        """Take in the grandchild that the fork server makes, and no other process's orphans."""
        self._asking += 1
        adopt_orphans(True)
        try:
            yield
        finally:
            self._asking -= 1
            if not self._asking:
                adopt_orphans(False)


def shared_environment(services: Iterable[ComposeService]) -> dict[str, str]:
    """Return the variables that all these services have alike."""
    every = [service.environment.items() for service in services]
    return dict(set(every[0]).intersection(*every[1:])) if every else {}


def _end_unwanted(asked: "asyncio.Future[Leader]") -> None:
    """End a process that came after nobody waited for it any more."""
    if not asked.cancelled() and not asked.exception():
        asked.result().kill_group()


async def _read(descriptor: int) -> bytes:
    """Read the one message of a pipe; empty if its writers end without."""
    loop = asyncio.get_running_loop()
    readable: asyncio.Future[None] = loop.create_future()
    loop.add_reader(descriptor, _note_once, readable)
    try:
        await readable
        return os.read(descriptor, _ANSWER)
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)


def _note_once(event: "asyncio.Future[None]") -> None:
    if not event.done():
        event.set_result(None)
