"""The engines at work: each in a thread of its own, with a budget of time, so that none holds up the agent."""

import asyncio
import queue
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace

import structlog

from q_core_agent.metrics import ENGINE, FAULTS
from qiki.agent.engine import Engine
from qiki.agent.engines.asking import ask_engine
from qiki.agent.engines.results import EngineFault, EngineResult, FaultKind
from qiki.agent.world import World

log = structlog.get_logger()


class Engines:
    """The engines that run, always in the same order.

    Args:
        engines: by name
        budget_s: how long a turn may take
        patient: wait for an engine that takes longer, and only tell of it: for lockstep, where time is held meanwhile
    """

    def __init__(self, engines: Mapping[str, Engine], budget_s: float, *, patient: bool) -> None:
        self._workers = [_Worker(name, engine) for name, engine in engines.items()]
        self._budget_s = budget_s
        self._patient = patient

    async def propose(self, world: World) -> tuple[EngineResult, ...]:
        """Ask every engine once; nothing that an engine does makes it raise."""
        if not self._workers:
            return ()
        for worker in self._workers:
            worker.collect()  # what comes after its tick counts no more
        turns = [worker.ask(world) for worker in self._workers if worker.turn is None]
        if turns:
            await asyncio.wait(turns, timeout=None if self._patient else self._budget_s)
        return tuple(self._result(worker) for worker in self._workers)

    def _result(self, worker: "_Worker") -> EngineResult:
        turn = worker.collect()
        if turn is None:
            overrun = EngineFault(FaultKind.OVERRUN, f"not back after {self._budget_s:g} s")
            turn = EngineResult(worker.name, duration_s=worker.out_s, fault=overrun)
        elif turn.duration_s > self._budget_s and self._patient:
            self._tell_slow(turn)
        ENGINE.labels(worker.name).observe(turn.duration_s)
        if turn.fault is not None:
            FAULTS.labels(worker.name, turn.fault.kind).inc()
        worker.note(turn.fault)
        return turn

    def _tell_slow(self, turn: EngineResult) -> None:
        FAULTS.labels(turn.name, FaultKind.OVERRUN).inc()
        log.info("engine over its budget", engine=turn.name, duration_s=turn.duration_s, budget_s=self._budget_s)


class _Worker:
    """One engine and its thread. The thread is a daemon: an engine that hangs does not hold up the process's end."""

    def __init__(self, name: str, engine: Engine) -> None:
        self.name = name
        self.turn: asyncio.Future[EngineResult] | None = None
        self._fault: EngineFault | None = None
        self._engine = engine
        self._asked_s = 0.0
        self._worlds: queue.SimpleQueue[World] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name=f"engine {name}", daemon=True)

    @property
    def out_s(self) -> float:
        """How long ago it was asked."""
        return time.monotonic() - self._asked_s

    def ask(self, world: World) -> "asyncio.Future[EngineResult]":
        """Give it a world; its turn comes."""
        self._loop = asyncio.get_running_loop()
        self.turn = self._loop.create_future()
        self._asked_s = time.monotonic()
        if self._thread.ident is None:
            self._thread.start()
        self._worlds.put(world)
        return self.turn

    def collect(self) -> EngineResult | None:
        """Its turn, if it is back."""
        if self.turn is None or not self.turn.done():
            return None
        turn, self.turn = self.turn.result(), None
        return turn

    def note(self, fault: EngineFault | None) -> None:
        """Tell when it goes wrong in another way than before, or no longer."""
        if (fault and fault.kind) != (self._fault and self._fault.kind):
            log.warning("engine", engine=self.name, fault=fault.text if fault else "none any more")
        self._fault = fault

    def _work(self) -> None:
        while True:
            turn = take_turn(self.name, self._engine, self._worlds.get(), quiet=self._fault is not None)
            with suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(self._back, turn)

    def _back(self, turn: EngineResult) -> None:
        if self.turn is not None and not self.turn.done():
            self.turn.set_result(turn)


def take_turn(name: str, engine: Engine, world: World, *, quiet: bool = False) -> EngineResult:
    """Ask an engine, and time it; what it raises is logged with its traceback unless `quiet`."""
    begin_s = time.perf_counter()
    result = ask_engine(name, engine, world, caught=(BaseException,))
    if result.fault is not None and result.fault.trace and not quiet:
        log.error("engine failed", engine=name, exception=result.fault.trace)
    return replace(result, duration_s=time.perf_counter() - begin_s)
