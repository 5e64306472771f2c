"""Worker processes on this machine that fly the runs of a sweep."""

import math
import os
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from signal import SIG_IGN, SIGINT, signal
from typing import Self

from qiki.tasks.criteria import Criteria
from qiki_harness.environment import ONE_BLAS_THREAD
from qiki_harness.errors import HarnessError
from qiki_harness.sweeps.work import WORKER_DIED, Result, Run, fly

DEATHS = 2
"""A run that so many workers died of is a result."""
_POLL_S = 0.2
Stop = Callable[[], bool]


class _Worker:
    """A pool of one process, so that its death has one run as its cause."""

    def __init__(self) -> None:
        self._pool = ProcessPoolExecutor(1, get_context("spawn"), begin_worker)
        self._ready = self._pool.submit(os.getpid)
        self._began_s = math.inf
        self._ready.add_done_callback(self._note_begin)
        self.run: Run | None = None
        self.since_s = 0.0

    def fly(self, run: Run, criteria: Criteria) -> Future[Result]:
        self.run, self.since_s = run, time.monotonic()
        return self._pool.submit(fly, run, criteria)

    @property
    def began(self) -> bool:
        """True if the process came up."""
        return self._ready.done() and self._ready.exception() is None

    @property
    def busy_s(self) -> float:
        """Wall time that its run takes until now; the process's own begin does not count."""
        return time.monotonic() - max(self.since_s, self._began_s)

    def _note_begin(self, _: object) -> None:
        self._began_s = time.monotonic()

    def kill(self) -> None:
        """End the process, whatever it does."""
        for process in list((self._pool._processes or {}).values()):
            process.kill()

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)


class LocalCrew:
    """Flies runs in worker processes.

    Each worker has one run at a time. A dead worker is replaced, and its run is flown again; a run that two workers
    died of is a result. So is one that takes longer than its limit. In a `with` statement the workers stay from one
    call to the next.

    Args:
        workers: number of processes
        limit_s: wall time of a run at most; its worker is killed then
    """

    def __init__(self, workers: int, limit_s: float | None = None) -> None:
        self._count, self._limit_s = workers, limit_s
        self._idle: list[_Worker] = []
        self._stays = False

    def __enter__(self) -> Self:
        self._stays = True
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def fly(self, runs: Iterable[Run], criteria: Criteria, stop: Stop = lambda: False) -> Iterator[Result]:
        """Yield the results as they come; after `stop` those of the runs that fly already.

        Raises:
            HarnessError: no worker can begin.
        """
        waiting, deaths = deque(runs), Counter[str]()
        flying: dict[Future[Result], _Worker] = {}
        with one_thread():
            while len(self._idle) < min(self._count, len(waiting)):
                self._idle.append(_Worker())
            try:
                while True:
                    stopped = stop()
                    while self._idle and waiting and not stopped:
                        worker = self._idle.pop()
                        flying[worker.fly(waiting.popleft(), criteria)] = worker
                    if not flying:
                        return
                    for future in wait(flying, _POLL_S, FIRST_COMPLETED).done:
                        worker = flying.pop(future)
                        result = self._result(worker, future, deaths)
                        if result is None:
                            waiting.appendleft(_run_of(worker))
                        self._idle.append(_replaced(worker) if future.exception() else worker)
                        if result is not None:
                            yield result
                    self._kill_late(flying.values())
            finally:
                for worker in flying.values():
                    worker.kill()
                    worker.close()
                if not self._stays:
                    self._close()

    def _close(self) -> None:
        for worker in self._idle:
            worker.close()
        self._idle.clear()

    def _result(self, worker: _Worker, future: Future[Result], deaths: Counter[str]) -> Result | None:
        """Return the result of a run, None if it has to fly again."""
        run = _run_of(worker)
        try:
            return future.result()
        except BrokenProcessPool:
            if not worker.began:
                raise HarnessError("a worker cannot begin: its own words are above") from None
        if self._is_late(worker):
            return Result(key=run.key, outcome="crashed", error=f"it took longer than {self._limit_s:g} s")
        deaths[run.key] += 1
        return Result(key=run.key, outcome="crashed", error=WORKER_DIED) if deaths[run.key] >= DEATHS else None

    def _is_late(self, worker: _Worker) -> bool:
        return self._limit_s is not None and worker.busy_s > self._limit_s

    def _kill_late(self, workers: Iterable[_Worker]) -> None:
        for worker in workers:
            if self._is_late(worker):
                worker.kill()


def _run_of(worker: _Worker) -> Run:
    assert worker.run is not None
    return worker.run


def _replaced(worker: _Worker) -> _Worker:
    worker.close()
    return _Worker()


def begin_worker() -> None:
    """Prepare a worker: Ctrl-C is its parent's, and it ends with it."""
    signal(SIGINT, SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    if (parent := parent_process()) is not None:
        parent.join()
        os._exit(1)


@contextmanager
def one_thread() -> Iterator[None]:
    """Let processes that begin now do linear algebra in one thread."""
    before = {name: os.environ.get(name) for name in ONE_BLAS_THREAD}
    os.environ.update(ONE_BLAS_THREAD)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
