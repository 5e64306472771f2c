"""The engine pool: each engine in its own thread, with a time budget, so that none delays the agent."""

import asyncio
import queue
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace

import structlog

from q_core_agent.metrics import ENGINE, FAULTS
from qiki.agent.engine import Engine, EngineFault, EngineResult, FaultKind
from qiki.agent.engine_call import ask_engine
from qiki.agent.world import World

log = structlog.get_logger()


class ThreadedEngines:
    """The engines of an agent, in a fixed order.

    Args:
        budget_s: how long a call may take
        patient: wait for an engine that takes longer, and only count it: for lockstep, where time is held meanwhile
    """

    def __init__(self, engines: Mapping[str, Engine], budget_s: float, *, patient: bool) -> None:
        self._workers = [_Worker(name, engine) for name, engine in engines.items()]
        self._budget_s, self._patient = budget_s, patient

    async def propose(self, world: World) -> tuple[EngineResult, ...]:
        """Ask every engine once; never raises for a fault of an engine."""
        for worker in self._workers:
            worker.collect()  # the late result of an earlier tick does not count
        if calls := [worker.ask(world) for worker in self._workers if worker.call is None]:
            await asyncio.wait(calls, timeout=None if self._patient else self._budget_s)
        return tuple(map(self._result, self._workers))

    def _result(self, worker: "_Worker") -> EngineResult:
        result = worker.collect()
        if result is None:
            overrun = EngineFault(FaultKind.OVERRUN, f"not back after {self._budget_s:g} s")
            result = EngineResult(worker.name, duration_s=time.monotonic() - worker.asked_s, fault=overrun)
        elif result.duration_s > self._budget_s and self._patient:
            FAULTS.labels(result.name, FaultKind.OVERRUN).inc()
            took_s, budget_s = result.duration_s, self._budget_s
            log.info("engine over its budget", engine=result.name, duration_s=took_s, budget_s=budget_s)
        ENGINE.labels(worker.name).observe(result.duration_s)
        if result.fault is not None:
            FAULTS.labels(worker.name, result.fault.kind).inc()
        worker.note(result.fault)
        return result


class _Worker:
    """One engine and its thread, a daemon: an engine that hangs does not delay the end of the process."""

    def __init__(self, name: str, engine: Engine) -> None:
        self.name = name
        self.call: asyncio.Future[EngineResult] | None = None
        self.asked_s = 0.0
        self._fault: EngineFault | None = None
        self._engine = engine
        self._worlds: queue.SimpleQueue[World] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name=f"engine {name}", daemon=True)
        self._thread.start()

    def ask(self, world: World) -> "asyncio.Future[EngineResult]":
        self._loop = asyncio.get_running_loop()
        self.call = self._loop.create_future()
        self.asked_s = time.monotonic()
        self._worlds.put(world)
        return self.call

    def collect(self) -> EngineResult | None:
        """Return the result of the call and end it; None while the engine is not back."""
        if self.call is None or not self.call.done():
            return None
        result, self.call = self.call.result(), None
        return result

    def note(self, fault: EngineFault | None) -> None:
        """Log a fault of another kind than the last one, and its end."""
        if (fault and fault.kind) != (self._fault and self._fault.kind):
            log.warning("engine", engine=self.name, fault=fault.text if fault else "none any more")
        self._fault = fault

    def _work(self) -> None:
        while True:
            world = self._worlds.get()
            begin_s = time.perf_counter()
            result = ask_engine(self.name, self._engine, world, caught=(BaseException,))
            result = replace(result, duration_s=time.perf_counter() - begin_s)
            if result.fault is not None and result.fault.trace and self._fault is None:
                log.error("engine failed", engine=self.name, exception=result.fault.trace)
            with suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(self._back, result)

    def _back(self, result: EngineResult) -> None:
        if self.call is not None and not self.call.done():
            self.call.set_result(result)
