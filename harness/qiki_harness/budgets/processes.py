"""The processes of a native stack, by service, and what they take."""

from collections.abc import Iterable
from contextlib import suppress

import psutil

from qiki_harness.errors import HarnessError
from qiki_harness.stack import StackInfo

SUPERVISOR = "supervisor"
"""The name of what belongs to no service: the stack's supervisor and its helpers, with the probes of health."""


class Processes:
    """The trees of processes of a stack's services, and the rest of the stack's.

    The pids are those of `qiki ps`. With a fork server the services are not the supervisor's own children: their
    parents belong to the rest too.
    """

    def __init__(self, info: StackInfo) -> None:
        self._services = {name: psutil.Process(one.pid) for name, one in info.services.items() if one.pid}
        self._restarts = _restarts(info)
        parents = {parent for one in self._services.values() if (parent := one.parent()) and parent.pid > 1}
        self._rest = {psutil.Process(info.pid), *parents} - set(self._services.values())

    def check(self, info: StackInfo) -> None:
        """Raise HarnessError if a service has ended since: its figures would be those of two lives."""
        if again := [name for name, count in _restarts(info).items() if count != self._restarts[name]]:
            raise HarnessError(f"{', '.join(again)}: was restarted while it was measured")

    def cpu_s(self) -> dict[str, float]:
        """Return the CPU time of each service and the rest [s], with what their ended children took."""
        return {name: sum(map(_cpu_s, tree)) for name, tree in self._trees().items()}

    def resident_mb(self) -> dict[str, float]:
        """Return the memory of each service and the rest, shared pages counted again for each [MB]."""
        return {name: sum(map(_resident_mb, tree)) for name, tree in self._trees().items()}

    def private_mb(self) -> dict[str, float]:
        """Return the memory of each service and the rest that they share with no other process [MB]."""
        return {name: sum(map(_private_mb, tree)) for name, tree in self._trees().items()}

    def _trees(self) -> dict[str, set[psutil.Process]]:
        trees = {name: _tree([one]) for name, one in self._services.items()}
        return {**trees, SUPERVISOR: _tree(self._rest) - set().union(*trees.values())}


def _restarts(info: StackInfo) -> dict[str, int]:
    return {name: one.restarts for name, one in info.services.items()}


def _tree(roots: Iterable[psutil.Process]) -> set[psutil.Process]:
    found: set[psutil.Process] = set()
    for root in roots:
        with suppress(psutil.NoSuchProcess):
            found |= {root, *root.children(recursive=True)}
    return found


def _cpu_s(process: psutil.Process) -> float:
    with suppress(psutil.NoSuchProcess):  # a probe: its parent has its time
        times = process.cpu_times()
        return float(times.user + times.system + times.children_user + times.children_system)
    return 0.0


def _private_mb(process: psutil.Process) -> float:
    with suppress(psutil.NoSuchProcess):
        return float(process.memory_full_info().uss) / 1e6
    return 0.0


def _resident_mb(process: psutil.Process) -> float:
    with suppress(psutil.NoSuchProcess):
        return float(process.memory_info().rss) / 1e6
    return 0.0
