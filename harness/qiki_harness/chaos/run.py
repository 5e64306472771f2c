"""One run: a stack under load, the faults of a plan, the wait until all is quiet, the end's notes."""

import asyncio
import contextlib
import random
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from qiki.runtime.terminal import echo
from qiki_harness.chaos import clients
from qiki_harness.chaos.bus import connected
from qiki_harness.chaos.faults import FAULTS
from qiki_harness.chaos.final import newest_frame, note_end, until_reached, until_registered
from qiki_harness.chaos.history import History
from qiki_harness.chaos.plan import Fault, Plan
from qiki_harness.chaos.rig import Rig, rigged
from qiki_harness.chaos.watch import BusWatcher, watch_frames, watch_lives
from qiki_harness.errors import DeadlineError, StackError
from qiki_harness.testing import until_async

EVENT_CLIENTS = 3
READY_S = 120.0  # ten times what it takes on a machine that has nothing else to do


async def run(folder: Path, plan: Plan, speed: float, scenario: str) -> Path:
    """Run a plan in a folder, and return the file of its history.

    Raises:
        HarnessError: the stack does not come up.
    """
    file = folder / "history.jsonl"
    with file.open("w", encoding="utf-8") as lines:
        history = History(lines)
        async with rigged(folder, plan, speed, scenario) as rig:
            await _Run(rig, plan, history, speed).play()
    return file


class _Run:
    def __init__(self, rig: Rig, plan: Plan, history: History, speed: float) -> None:
        self._rig = rig
        self._plan = plan
        self._history = history
        self._speed = speed
        self._watcher = BusWatcher(history)

    async def play(self) -> None:
        """Load, faults, drain, end."""
        async with AsyncExitStack() as exits:
            watching = await exits.enter_async_context(
                connected(self._rig.nats_url, "chaos watch", self._rig.keys, self._watcher.lost)
            )
            for work in (
                self._watcher.run(watching),
                watch_frames(self._rig.stack.info.addresses["QSIM_GRPC"], self._history),
                watch_lives(self._rig.stack, self._history),
            ):
                exits.push_async_callback(_cancel, asyncio.create_task(work))
            async with self._load():
                await self._cause()
            await self._end()

    @asynccontextmanager
    async def _load(self) -> AsyncIterator[None]:
        """Have clients work as long as the context lasts; what is under way at its end is finished."""
        url, seed, history = self._rig.clients_url, self._plan.seed, self._history
        async with AsyncExitStack() as exits:
            for number in range(EVENT_CLIENTS):
                client = await exits.enter_async_context(connected(url, f"chaos client {number}", self._rig.keys))
                chance = chance_of(seed, "client", number)
                work = clients.publish_events(client, history, f"client-{number}", chance)
                exits.push_async_callback(_cancel, asyncio.create_task(work))
            other = await exits.enter_async_context(connected(url, "chaos commander", self._rig.keys))
            for work in (
                clients.send_commands(other, history, self._speed, chance_of(seed, "commands")),
                clients.read_newest(other, history, chance_of(seed, "reads")),
            ):
                exits.push_async_callback(_cancel, asyncio.create_task(work))
            yield

    async def _cause(self) -> None:
        """Cause the faults, round after round, each when all is ready and its time has come; then run on to the end."""
        begin_s = time.monotonic()
        number = 0
        for faults in self._plan.rounds:
            await _at(begin_s + faults[0].at_s)
            if time.monotonic() - begin_s > 60 * self._plan.minutes:
                break
            async with asyncio.TaskGroup() as group:
                for fault in faults:
                    number += 1
                    group.create_task(self._cause_one(number, fault, fault.at_s - faults[0].at_s))
            await self._recover(f"fault {number} ({faults[-1].kind})")
        await _at(begin_s + 60 * self._plan.minutes)

    async def _cause_one(self, number: int, fault: Fault, pause_s: float) -> None:
        await asyncio.sleep(pause_s)
        _say(f"{self._history.now_s:6.1f} s  {number}: {str(fault)[11:]}")
        noted = {"number": number, "kind": fault.kind, **fault.parameters}
        self._history.note("fault", state="begun", **noted)
        async with FAULTS[fault.kind](self._rig, fault):
            await asyncio.sleep(fault.duration_s)
        self._history.note("fault", state="healed", **noted)

    async def _recover(self, after: str) -> None:
        """Wait until all is ready and frames flow; note what does not come back."""
        healed_s = time.monotonic()
        try:
            await self._rig.ask(self._rig.stack.wait_healthy, READY_S)
            await until_async("frames are tracked", self._flow(healed_s), READY_S)
        except DeadlineError as error:
            self._history.note("late", what=f"after {after}: {error}")
            _say(f"{self._history.now_s:6.1f} s  late: {str(error).splitlines()[0]}")
            await self._restart_unready()
        self._history.note("ready", after=after)

    def _flow(self, since_s: float) -> Callable[[], Awaitable[bool]]:
        async def flows() -> bool:
            return self._watcher.tracked_s > since_s

        return flows

    async def _tracked(self) -> str:
        return self._watcher.tracked

    async def _restart_unready(self) -> None:
        """Do what an operator would, so that the run can go on."""
        for name, status in self._rig.stack.info.services.items():
            if not status.ready:
                with contextlib.suppress(StackError, DeadlineError):
                    await self._rig.ask(self._rig.stack.restart, name)

    async def _end(self) -> None:
        """Hold the world, wait until all of it is stored, tracked and registered, and note the end."""
        _say(f"{self._history.now_s:6.1f} s  drains")
        async with connected(self._rig.nats_url, "chaos end", self._rig.keys) as client:
            registered_to = 0
            try:
                await self._rig.ask(self._rig.stack.wait_healthy, READY_S)
                await until_async(
                    "the world is held", lambda: clients.command(client, self._history, "sim.pause", {}), READY_S
                )
                newest = await newest_frame(self._rig)
                self._history.note("newest", frame_id=newest)
                await until_reached(f"frame {newest} to be tracked", self._tracked, lambda frame: frame == newest)
                registered_to = await until_registered(client.jetstream())
            except DeadlineError as error:
                self._history.note("late", what=f"at the end: {error}")
                _say(f"{self._history.now_s:6.1f} s  late: {str(error).splitlines()[0]}")
            await note_end(self._rig, client, self._history, registered_to)


def note_plan(folder: Path, plan: Plan) -> None:
    """Write a plan into a folder."""
    (folder / "plan.txt").write_text("".join(f"{fault}\n" for fault in plan.faults), encoding="utf-8")


def chance_of(*names: object) -> random.Random:
    """Return a chance of its own for each of some names."""
    return random.Random(" ".join(map(str, names)))  # noqa: S311


async def _at(moment_s: float) -> None:
    await asyncio.sleep(max(0.0, moment_s - time.monotonic()))


async def _cancel(task: "asyncio.Task[None]") -> None:
    """End a task; what broke it is raised."""
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


def _say(text: str) -> None:
    echo(f"chaos: {text}", stream=sys.stderr)
