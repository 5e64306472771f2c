"""One stack in the supervisor's process: its plan, its run folder, its requests."""

import asyncio
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from signal import SIGKILL, Signals
from typing import NoReturn

from qiki.errors import UserError
from qiki_harness.errors import StackError
from qiki_harness.forks.link import ForkLink
from qiki_harness.forks.server import Connected
from qiki_harness.stack.guardian import Guardian
from qiki_harness.stack.holders import Holders
from qiki_harness.stack.model import StackInfo, StackOptions
from qiki_harness.stack.plan import Plan, make_plan, own_environment
from qiki_harness.stack.ports import PortLocks
from qiki_harness.stack.runfolder import RunFolder, say, user_folder
from qiki_harness.stack.supervisor import Supervisor

_INPUT, _OUTPUT, _ERRORS = 0, 1, 2
_RETRY_S = 1.0


def run_stack(options: StackOptions, server: Connected | str, *, tied: bool) -> NoReturn:
    """Run one stack, with its fork server or why there is none; the exit status is its start's."""
    folder = RunFolder(options.folder)
    try:
        folder.lock()
        plan = make_plan(options, folder, PortLocks(user_folder() / "ports", f"the stack in {folder.path}"))
        _prepare(folder, plan)
    except UserError as error:
        sys.stdout.write(json.dumps({"error": str(error)}))
        sys.exit(2)
    sys.exit(asyncio.run(_supervise(options, plan, folder, server, tied=tied)))


async def _supervise(
    options: StackOptions, plan: Plan, folder: RunFolder, server: Connected | str, *, tied: bool
) -> int:
    guardian = Guardian()
    forks = ForkLink(server)
    forks.prepare([service for name, service in plan.project.services.items() if name not in plan.by_hand])
    run = StackRun(plan, folder, guardian, forks, options.name)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, run.supervisor.request_stop)
    run.holders.join()
    if tied:
        _at_end_of_input(run.holders.leave)
    try:
        return await run.run()
    finally:
        forks.close()
        guardian.close()


def _prepare(folder: RunFolder, plan: Plan) -> None:
    """Empty logs, the folder of the volumes, and the variables of what runs under a debugger."""
    shutil.rmtree(folder.logs, ignore_errors=True)
    folder.logs.mkdir(parents=True)
    folder.data.mkdir(exist_ok=True)
    folder.log("qiki").touch()
    for name in plan.project.services:
        folder.log(name).touch()
    for name in plan.by_hand:
        lines = [f"{key}={value}\n" for key, value in own_environment(plan.project.services[name]).items()]
        (folder.path / f"{name}.env").write_text("".join(lines), encoding="utf-8")


def _redirect(folder: RunFolder) -> None:
    """Close the pipe to the starter: redirect our output to our log."""
    with folder.log("qiki").open("ab") as log:
        os.dup2(log.fileno(), _OUTPUT)
        os.dup2(log.fileno(), _ERRORS)


def _at_end_of_input(leave: Callable[[], int]) -> None:
    loop = asyncio.get_running_loop()

    def readable() -> None:
        if not os.read(_INPUT, 1):
            loop.remove_reader(_INPUT)
            leave()

    loop.add_reader(_INPUT, readable)


class StackRun:
    """Ties the supervisor to the run folder."""

    def __init__(self, plan: Plan, folder: RunFolder, guardian: Guardian, forks: ForkLink, name: str) -> None:
        self._folder = folder
        self._info = StackInfo(
            name, folder.path, plan.project.file, os.getpid(), folder.control, time.time(),
            addresses=plan.project.addresses,
        )  # fmt: skip
        self._pending: asyncio.Handle | None = None
        self._refused = False
        self.supervisor = Supervisor(plan, folder, guardian, forks, self._write_soon)
        self.holders = Holders(self.supervisor.request_stop)

    async def run(self) -> int:
        """Serve until the stack has stopped, and return the exit status of its start."""
        server = await self._serve()
        try:
            self._folder.write(self._now())
            _redirect(self._folder)  # the starter learns that the stack is known
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

    async def _serve(self) -> asyncio.Server:
        """Answer requests (handle.py) on a unix socket that only its user can open."""
        self._info.control.unlink(missing_ok=True)
        mask = os.umask(0o177)
        try:
            return await asyncio.start_unix_server(self._answer, self._info.control)
        finally:
            os.umask(mask)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = json.loads(await reader.readline())
            if request.get("do") == "hold":
                return await self._hold(reader, writer)
            await self._handle(request)
            writer.write(b"{}\n")
        except StackError as error:
            writer.write(json.dumps({"error": str(error)}).encode() + b"\n")
        finally:
            writer.close()

    async def _hold(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Count a holder as long as its connection lasts."""
        self.holders.join()
        try:
            writer.write(b"{}\n")
            await reader.read()
        finally:
            left = self.holders.leave()
        writer.write(json.dumps({"left": left}).encode() + b"\n")

    async def _handle(self, request: Mapping[str, str]) -> None:
        service = request.get("service", "")
        self.supervisor.check_ours(service)
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
                await self.supervisor.stop(service)
                await self.supervisor.start(service)
            case "signal-service":
                await self.supervisor.signal(service, Signals(int(request.get("signal", SIGKILL))))
            case other:
                raise StackError(f"no such request: {other!r}")
        say(" ".join(request.values()))
