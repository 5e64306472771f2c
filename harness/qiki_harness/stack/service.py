"""The life of one service: wait for what it needs, run, probe, and run again as its restart policy says."""

import asyncio
import time
from pathlib import Path

from qiki_harness.compose import ComposeService, RestartKind, RestartPolicy
from qiki_harness.forks.link import ForkLink
from qiki_harness.stack.board import Board
from qiki_harness.stack.guardian import Guardian
from qiki_harness.stack.health import Probe, watch_health
from qiki_harness.stack.model import ServiceHealth, State
from qiki_harness.stack.process import ProcessGroup
from qiki_harness.stack.runfolder import say

_SURVIVED_S = 0.3
_NOT_STARTED = 127  # a shell's exit status


def wants_restart(policy: RestartPolicy, exit_code: int, restarts: int) -> bool:
    """Return whether the policy restarts a service that ended with this code after so many restarts."""
    match policy.kind:
        case RestartKind.NO:
            return False
        case RestartKind.ON_FAILURE:
            return exit_code != 0 and (policy.max_retries is None or restarts < policy.max_retries)
        case RestartKind.ALWAYS | RestartKind.UNLESS_STOPPED:
            return True


def restart_delay_s(in_a_row: int) -> float:
    """Return the delay of a restart, given the number of those before it without a settled life between [s].

    The engine's delays, doubling from 0.1 s to a minute, but the first restart is at once: a test or a person waits
    for it. (moby: restartmanager, backoffMultiplier 2, defaultTimeout 100 ms, maxRestartTimeout 1 min.)
    """
    if in_a_row == 0:
        return 0.0
    return float(min(0.1 * 2 ** min(in_a_row - 1, 10), 60.0))


def settled(ran_s: float) -> bool:
    """Return whether a service ran long enough to forget its former restarts (moby: 10 s)."""
    return ran_s >= 10.0


class ServiceRunner:
    """Runs one service and keeps its status on the board."""

    def __init__(self, service: ComposeService, board: Board, guardian: Guardian, forks: ForkLink, log: Path) -> None:
        self.service = service
        self.process: ProcessGroup | None = None
        self._board = board
        self._guardian = guardian
        self._forks = forks
        self._log = log

    async def run(self) -> None:
        """Run the service until its policy restarts it no more; stop it on cancellation."""
        try:
            await self._wait_for_dependencies()
            await self._live_and_live_again()
        except asyncio.CancelledError:
            self._update(state=State.STOPPED, health=ServiceHealth.NONE, pid=None, waiting_for=())
            raise

    async def watch_external(self) -> None:
        """Probe a service that the user runs."""
        self._update(state=State.EXTERNAL, health=ServiceHealth.STARTING)
        await self._watch_health()

    async def _wait_for_dependencies(self) -> None:
        self._update(state=State.WAITING, exit_code=None, detail="")
        for dependency in self.service.dependencies:
            unmet = [str(other) for other in self.service.dependencies if not self._board.holds(other)]
            self._update(waiting_for=tuple(unmet))
            if not self._board.holds(dependency):
                await self._board.until(lambda needed=dependency: self._board.holds(needed))  # type: ignore[misc]
                self._update(held_by=dependency.service, held_s=self._board.age_s)
        self._update(waiting_for=())

    async def _live_and_live_again(self) -> None:
        restarts = in_a_row = 0
        while True:
            exit_code, ran_s = await self._live()
            self._update(state=State.EXITED, health=ServiceHealth.NONE, pid=None, exit_code=exit_code)
            if not wants_restart(self.service.restart, exit_code, restarts):
                return
            in_a_row = 0 if settled(ran_s) else in_a_row
            delay_s = restart_delay_s(in_a_row)
            when = f"in {delay_s:g} s" if delay_s else "at once"
            say(f"{self.service.name} ended (exit code {exit_code}) and is started again {when}")
            restarts, in_a_row = restarts + 1, in_a_row + 1
            self._update(state=State.RESTARTING, restarts=self._board[self.service.name].restarts + 1)
            await asyncio.sleep(delay_s)

    async def _live(self) -> tuple[int, float]:
        """Run the service once; return its exit code and its age [s]."""
        try:
            process = self.process = await ProcessGroup.start(self.service, self._guardian, self._log, self._forks)
        except OSError as error:  # no more processes, or its program is being installed: it may pass
            say(f"{self.service.name} cannot be started: {error}")
            return _NOT_STARTED, 0.0
        new_life = {"pid": process.pid, "exit_code": None, "started_at": time.time(), "detail": ""}
        self._update(state=State.RUNNING, health=ServiceHealth.STARTING, **new_life)
        try:
            async with asyncio.TaskGroup() as tasks:
                watching = tasks.create_task(self._watch_health())
                exit_code = await process.wait()
                watching.cancel()
            return exit_code, process.age_s
        finally:
            await process.stop()
            self.process = None

    async def _watch_health(self) -> None:
        """Probe for ever. Without a check, a service that does not end at once counts as working."""
        if not (check := self.service.healthcheck):
            await asyncio.sleep(_SURVIVED_S)
            return self._report(ServiceHealth.NONE, "")
        probe = Probe(check, self.service.environment, self.service.working_dir, self._guardian)
        return await watch_health(check, probe, self._report)

    def _report(self, health: ServiceHealth, words: str) -> None:
        before = self._board[self.service.name].health
        if health is ServiceHealth.UNHEALTHY is not before:
            say(f"{self.service.name} is unhealthy: {words}")
        self._update(health=health, detail=words)

    def _update(self, **changes: object) -> None:
        self._board.update(self.service.name, **changes)
