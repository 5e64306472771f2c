"""A stack while it runs: its supervisor, its `stack.json`, and the requests that come in."""

import asyncio
import json
import os
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from signal import SIGKILL, Signals

from qiki_harness.errors import StackError
from qiki_harness.stack.guardian import Guardian
from qiki_harness.stack.plan import Plan
from qiki_harness.stack.runfolder import RunFolder, say
from qiki_harness.stack.status import StackInfo
from qiki_harness.stack.supervisor import Supervisor

Request = dict[str, str]
_RETRY_S = 1.0


async def serve(path: Path, handle: Callable[[Request], Awaitable[None]]) -> asyncio.Server:
    """Answer requests: `handle` does what they ask, or raises a StackError that the asker gets."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handle(json.loads(await reader.readline()))
            writer.write(b"{}\n")
        except StackError as error:
            writer.write(json.dumps({"error": str(error)}).encode() + b"\n")
        finally:
            writer.close()

    path.unlink(missing_ok=True)  # noqa: ASYNC240  # one system call, before anything is served
    mask = os.umask(0o177)
    try:
        return await asyncio.start_unix_server(answer, path)
    finally:
        os.umask(mask)


class StackRun:
    """Ties the supervisor to the run folder."""

    def __init__(self, plan: Plan, folder: RunFolder, guardian: Guardian, name: str) -> None:
        self._folder = folder
        self._info = StackInfo(
            name, folder.path, plan.project.file, os.getpid(), folder.control, time.time(),
            addresses=plan.project.addresses,
        )  # fmt: skip
        self._pending: asyncio.Handle | None = None
        self._refused = False
        self.supervisor = Supervisor(plan, folder, guardian, self._write_soon)

    async def run(self, announce: Callable[[], None]) -> int:
        """Serve until the stack has stopped; `announce` that it is known. Return the exit status of the start."""
        server = await serve(self._info.control, self._handle)
        try:
            self._folder.write(self._now())
            announce()
            await self.supervisor.run()
        finally:
            server.close()
            self._info.control.unlink(missing_ok=True)
            self._write()
        return self.supervisor.failure.exit_status if self.supervisor.failure else 0

    def _now(self) -> StackInfo:
        now = self.supervisor
        return replace(self._info, state=now.state, failure=now.failure, services=now.board.statuses)

    def _write(self) -> None:
        """Write `stack.json`; where it cannot be written, keep the old one and try again."""
        self._pending = None
        try:
            self._folder.write(self._now())
        except OSError as error:
            if not self._refused:
                say(f"{self._folder.info_file} cannot be written, the old one stays: {error.strerror}")
            self._refused = True
            self._pending = asyncio.get_running_loop().call_later(_RETRY_S, self._write)
        else:
            if self._refused:
                say(f"{self._folder.info_file} is written again")
            self._refused = False

    def _write_soon(self) -> None:
        """Write once for all changes of one turn of the loop, or up to the next try."""
        if self._pending is None:
            self._pending = asyncio.get_running_loop().call_soon(self._write)

    async def _handle(self, request: Request) -> None:
        service = request.get("service", "")
        match request.get("do"):
            case "stop":
                self.supervisor.request_stop()
            case "kill":
                self.supervisor.kill()
            case "start-service":
                await self.supervisor.start(service)
            case "stop-service":
                await self.supervisor.stop(service)
            case "restart-service":
                await self.supervisor.restart(service)
            case "signal-service":
                await self.supervisor.signal(service, Signals(int(request.get("signal", SIGKILL))))
            case other:
                raise StackError(f"no such request: {other!r}")
        say(" ".join(request.values()))
