"""The supervisor: starts services as their dependencies come true, keeps them, and stops them in reverse order."""

import asyncio
from collections.abc import Callable
from signal import SIGKILL, Signals

from qiki_harness.compose import StartCondition
from qiki_harness.errors import StackError
from qiki_harness.forks.link import ForkLink
from qiki_harness.stack.board import Board, is_up, start_failure
from qiki_harness.stack.guardian import Guardian
from qiki_harness.stack.model import Failure, ServiceStatus, StackState, State
from qiki_harness.stack.plan import Plan
from qiki_harness.stack.runfolder import RunFolder, last_words
from qiki_harness.stack.service import ServiceRunner


class Supervisor:
    """All services of a stack."""

    def __init__(
        self, plan: Plan, folder: RunFolder, guardian: Guardian, forks: ForkLink, on_change: Callable[[], None]
    ) -> None:
        self.state = StackState.STARTING
        self.failure: Failure | None = None
        self._project = plan.project
        self._folder = folder
        self._by_hand = plan.by_hand
        self._on_change = on_change
        self._stopping = False
        self._crash: BaseException | None = None
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self.board = Board(_statuses(plan, folder), self._changed)
        self._runners = {
            name: ServiceRunner(service, self.board, guardian, forks, folder.log(name))
            for name, service in plan.project.services.items()
        }

    async def run(self) -> None:
        """Start all, keep them until a stop is asked for or the start fails, stop all."""
        for name in self._project.services:
            self._start(name)
        try:
            await self.board.until(lambda: self._over or is_up(self._project, self.board.statuses))
            if not self._over:
                self._enter(StackState.UP)
                await self.board.until(lambda: self._over)
        finally:
            self._enter(StackState.STOPPING)
            await self._stop_all()
            self._enter(StackState.FAILED if self.failure else StackState.STOPPED)
        if self._crash:
            raise self._crash

    def request_stop(self) -> None:
        """Stop the stack in order, each service with its grace."""
        self._stopping = True
        self.board.wake()

    def kill(self) -> None:
        """Stop the stack without order or grace."""
        self.request_stop()
        for task in self._tasks.values():
            task.cancel()
        for runner in self._runners.values():
            if runner.process:
                runner.process.kill()

    async def start(self, name: str) -> None:
        """Start a service that was stopped, and wait until it is ready; StackError if it ends instead."""
        if (task := self._tasks.get(self._known(name))) and not task.done():
            raise StackError(f"{name} runs already")
        self.board.update(name, exit_code=None)  # its former life's
        self._start(name)
        task = self._tasks[name]
        await self.board.until(lambda: self.board[name].ready or self.board[name].exit_code is not None or task.done())
        if not self.board[name].ready:
            words = last_words(self._folder.log(name), 3)
            raise StackError(f"{self.board[name]}: {' | '.join(words) or 'it said nothing'}")

    async def stop(self, name: str) -> None:
        """Stop a service; its restart policy does not bring it back."""
        if task := self._tasks.get(self._known(name)):
            task.cancel()
            await asyncio.wait([task])
        self.board.update(name, state=State.STOPPED)

    async def signal(self, name: str, number: Signals) -> None:
        """Send a signal to a service's process; after SIGKILL its death is on the board."""
        process = self._runners[self._known(name)].process
        if not process:
            raise StackError(f"{name} does not run")
        process.signal(number)
        if number is SIGKILL:
            await self.board.until(lambda: self.board[name].pid != process.pid)

    @property
    def _over(self) -> bool:
        return self._stopping or bool(self.failure) or bool(self._crash)

    def _start(self, name: str) -> None:
        runner = self._runners[name]
        life = runner.watch_external() if name in self._by_hand else runner.run()
        task = self._tasks[name] = asyncio.create_task(life, name=name)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """A runner that raises is a bug: it ends the stack, with its traceback."""
        if not task.cancelled() and (error := task.exception()):
            self._crash = error
            self.board.wake()

    def _changed(self) -> None:
        if self.state is StackState.STARTING and not self.failure:
            for status in self.board.statuses.values():
                if why := start_failure(status):
                    self.failure = Failure(*why, last_words(self._folder.log(status.name)))
                    break
        self._on_change()

    def _enter(self, state: StackState) -> None:
        self.state = state
        self._on_change()

    async def _stop_all(self) -> None:
        """Stop each service when those that depend on it have stopped."""
        stops: dict[str, asyncio.Task[None]] = {}

        async def stop_after_dependants(name: str) -> None:
            for dependant in self._project.dependants(name):
                await stops[dependant]
            await self.stop(name)

        async with asyncio.TaskGroup() as group:
            for name in reversed(list(self._project.services)):
                stops[name] = group.create_task(stop_after_dependants(name))

    def check_ours(self, name: str) -> None:
        """Raise StackError for a service that the user runs by hand: the stack has no process of it."""
        if name in self._by_hand:
            raise StackError(f"{name} was left out (--without): start and stop it where you run it")

    def _known(self, name: str) -> str:
        if name not in self._project.services:
            raise StackError(f"no service {name!r} here: there are {', '.join(self._project.services)}")
        return name


def _statuses(plan: Plan, folder: RunFolder) -> list[ServiceStatus]:
    needs = [need for service in plan.project.services.values() for need in service.dependencies]
    one_shots = {need.service for need in needs if need.condition is StartCondition.COMPLETED}
    return [
        ServiceStatus(
            name,
            str(folder.log(name)),
            one_shot=name in one_shots,
            checked=service.healthcheck is not None,
            by_hand=plan.by_hand.get(name, ""),
            ports={port.variable: plan.ports[port.variable] for port in service.ports},
        )
        for name, service in plan.project.services.items()
    ]
