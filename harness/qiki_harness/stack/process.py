"""One process of a service: started in a group of its own, tied to the supervisor, stopped with all it started."""

import asyncio
import contextlib
import os
import sys
import time
from pathlib import Path

from qiki_harness.compose import ComposeService
from qiki_harness.forks.link import ForkLink, NotForkedError
from qiki_harness.stack.guardian import Guardian
from qiki_harness.stack.leader import Leader, start_leader
from qiki_harness.stack.runfolder import say

_LAUNCH = str(Path(__file__).with_name("launch.py"))


class ProcessGroup:
    """A running process of a service, and all that it starts."""

    def __init__(self, service: ComposeService, process: Leader, guardian: Guardian) -> None:
        self._service = service
        self._process = process
        self._guardian = guardian
        self.pid = process.pid
        self._born = time.monotonic()

    @classmethod
    async def start(cls, service: ComposeService, guardian: Guardian, log: Path, forks: ForkLink) -> "ProcessGroup":
        """Start the service. It writes to its log directly, so that no reader can block it."""
        log.parent.mkdir(parents=True, exist_ok=True)  # a user may have removed it
        with log.open("ab") as output:
            try:
                process = await forks.start(service, output.fileno(), guardian.descriptor)
            except NotForkedError as why:
                if service.environment.get("LOG_LEVEL") == "DEBUG":
                    say(f"{service.name} is started by exec: {why}")
                process = _execute(service, guardian, output.fileno())
        return cls(service, process, guardian)

    @property
    def age_s(self) -> float:
        """Its age [s]."""
        return time.monotonic() - self._born

    async def wait(self) -> int:
        """Wait for its end and return the exit code as a shell does: 128 + N for signal N."""
        code = await self._process.wait()
        return code if code >= 0 else 128 - code

    def signal(self, number: int) -> None:
        """Send a signal to the process."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(number)

    def kill(self) -> None:
        """Kill it and all that it started."""
        self._process.kill_group()

    async def stop(self) -> None:
        """Ask it to end, and kill it after its grace; then kill what it started."""
        try:
            self.signal(self._service.stop_signal)
            async with asyncio.timeout(self._service.stop_grace_s):
                await self._process.wait()
        except TimeoutError:
            self.kill()
            await self._process.wait()
        finally:
            self.kill()
            self._guardian.forget(self.pid)


def _execute(service: ComposeService, guardian: Guardian, output: int) -> Leader:
    arguments = [sys.executable, "-IS", _LAUNCH, str(os.getpid()), str(guardian.descriptor), *service.command]
    return start_leader(
        arguments, folder=service.working_dir, environment=service.environment, output=output,
        kept=(guardian.descriptor,),
    )  # fmt: skip
