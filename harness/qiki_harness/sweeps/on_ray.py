"""A Ray cluster that flies the runs of a sweep; it takes the extra `ray`. Ray schedules, and flies lost runs again."""

import socket
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any

from qiki.tasks.criteria import Criteria
from qiki_harness.environment import ONE_BLAS_THREAD
from qiki_harness.errors import HarnessError
from qiki_harness.sweeps.work import WORKER_DIED, Result, Run, fly

try:
    import ray
except ModuleNotFoundError:
    raise HarnessError("--on ray takes Ray, which is not installed: pip install 'qiki-dtmp[ray]'") from None

PRODUCT = version("qiki-dtmp")
RETRIES = 3
"""Of a run whose worker or node died."""
AHEAD = 2
"""Runs that are given to Ray for each of its processors: none waits for this process."""
_CONNECT_S = 5.0
_POLL_S = 0.2
_ENVIRONMENT = {"env_vars": ONE_BLAS_THREAD}


class OtherVersionError(Exception):
    """A node has another version of the platform."""


class RayCrew:
    """Flies runs as tasks of Ray.

    Args:
        address: HOST:PORT of a cluster; None: a cluster of its own on this machine
        workers: processors of a cluster of its own
    """

    def __init__(self, address: str | None, workers: int) -> None:
        self._address, self._workers = address, workers

    def fly(
        self, runs: Iterable[Run], criteria: Criteria, stop: Callable[[], bool] = lambda: False
    ) -> Iterator[Result]:
        """Yield the results as they come; after `stop` those of the runs that are given to Ray already.

        Raises:
            HarnessError: the cluster is out of reach or of another version, or is lost.
        """
        waiting = deque(runs)
        if not waiting:
            return
        with _cluster(self._address, self._workers):
            task = ray.remote(num_cpus=1, max_retries=RETRIES)(_fly_there)
            common = ray.put((criteria, PRODUCT))
            flying: dict[Any, Run] = {}
            while True:
                room = AHEAD * max(1, int(ray.cluster_resources().get("CPU", 1)))
                stopped = stop()
                while waiting and len(flying) < room and not stopped:
                    run = waiting.popleft()
                    flying[task.remote(run, common)] = run
                if not flying:
                    return
                done, _ = ray.wait(list(flying), timeout=_POLL_S)
                for reference in done:
                    yield _result(flying.pop(reference), reference)


def _fly_there(run: Run, common: tuple[Criteria, str]) -> Result:
    criteria, product = common
    if version("qiki-dtmp") != product:
        raise OtherVersionError(version("qiki-dtmp"))
    return fly(run, criteria)


def _result(run: Run, reference: Any) -> Result:
    try:
        result: Result = ray.get(reference)
    except (ray.exceptions.WorkerCrashedError, ray.exceptions.NodeDiedError, ray.exceptions.OutOfMemoryError):
        return Result(key=run.key, outcome="crashed", error=WORKER_DIED)
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, OtherVersionError):
            raise HarnessError(f"a node has qiki-dtmp {error.cause} (expected {PRODUCT}, as here)") from None
        raise HarnessError(f"a node cannot fly: {_line(error.cause)}") from None
    except ray.exceptions.RayError as error:
        raise HarnessError(f"the Ray cluster is lost: {_line(error)}; the same command goes on") from None
    return result


@contextmanager
def _cluster(address: str | None, workers: int) -> Iterator[None]:
    """Connect to a cluster, or begin one; in a process that is connected already that one is used.

    Raises:
        HarnessError: it is out of reach, or of another version.
    """
    if ray.is_initialized():
        yield
        return
    if address is not None:
        _reach(address)
    own: dict[str, Any] = {} if address is not None else {"num_cpus": workers, "include_dashboard": False}
    try:
        ray.init(
            address=address or "local", log_to_driver=False, logging_level="ERROR", runtime_env=_ENVIRONMENT, **own
        )
    except (RuntimeError, ConnectionError, ValueError, OSError) as error:
        raise HarnessError(f"the Ray cluster {address or 'of its own'} cannot be used: {_line(error)}") from None
    try:
        yield
    finally:
        ray.shutdown()


def _reach(address: str) -> None:
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdecimal():
        raise HarnessError(f"--address {address}: expected HOST:PORT")
    try:
        socket.create_connection((host.strip("[]"), int(port)), _CONNECT_S).close()
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise HarnessError(f"no Ray cluster answers at {address}: {reason}") from None


def _line(error: BaseException | None) -> str:
    return " ".join(str(error).split())[:300]
