"""From a fork to a process that looks as if it had been started by exec."""

import io
import os
import random
import runpy
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType, TracebackType
from typing import Any

from qiki_harness.forks.imports import Imports
from qiki_harness.forks.title import take_title

_UNBUFFERED = "PYTHONUNBUFFERED"


def take_streams(given: int, output: int, errors: int) -> None:
    """Make these the standard streams, for Python too."""
    for target, source in enumerate((given, output, errors)):
        os.dup2(source, target)


def open_streams() -> None:
    """Open `sys.stdin` and its kin as an interpreter does at its start."""
    unbuffered = bool(os.environ.get(_UNBUFFERED))
    python: Any = sys
    python.stdin = python.__stdin__ = _text(0, "r", sys.stdin, unbuffered=False)
    python.stdout = python.__stdout__ = _text(1, "w", sys.stdout, unbuffered=unbuffered)
    python.stderr = python.__stderr__ = _text(2, "w", sys.stderr, unbuffered=unbuffered)


def _text(descriptor: int, mode: str, former: Any, *, unbuffered: bool) -> io.TextIOWrapper:
    raw: Any = open(descriptor, mode + "b", 0 if unbuffered else -1, closefd=False)  # noqa: SIM115
    lines = os.isatty(descriptor) or descriptor == 2
    stream = io.TextIOWrapper(
        raw, former.encoding, former.errors, line_buffering=lines and not unbuffered, write_through=unbuffered
    )
    stream.mode = mode  # type: ignore[misc]  # as the interpreter sets it
    return stream


def take_environment(environment: Mapping[str, str]) -> None:
    """Have these variables and no others."""
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()


def seed_anew() -> None:
    """Give the common random generators new seeds; `random` sees to itself."""
    random.seed()
    if numpy := sys.modules.get("numpy.random"):
        numpy.seed()


@dataclass(frozen=True)
class ServiceMain:
    """A service's main program, to be run by the outermost frame of its process."""

    module: str
    arguments: tuple[str, ...]
    folder: str
    modules: frozenset[str]
    imports: Imports

    def prepare(self) -> None:
        """Have what an interpreter has before the first line of `python -m MODULE`."""
        self.imports.stop()
        self._register_metrics()
        python = os.path.join(os.path.dirname(sys.executable), "python")  # noqa: PTH118, PTH120
        sys.executable = python
        words = ["python", "-m", self.module, *self.arguments]
        sys.argv, sys.orig_argv = ["-m", *self.arguments], words
        sys.path.insert(0, self.folder)
        sys.modules["__main__"] = ModuleType("__main__")
        sys.excepthook = _shortened
        seed_anew()
        take_title(words, self.module)
        open_streams()

    def run(self) -> None:
        """Run it; the process ends as the interpreter ends."""
        runpy.run_module(self.module, run_name="__main__", alter_sys=True)

    def _register_metrics(self) -> None:
        """Register those metrics that the service's own modules made, as begun now."""
        if "prometheus_client" not in sys.modules:
            return
        from prometheus_client import REGISTRY  # noqa: PLC0415

        now = time.time()
        for module, collector in self.imports.collectors:
            if not module or module in self.modules:
                for one in (collector, *getattr(collector, "_metrics", {}).values()):
                    if hasattr(one, "_created"):
                        one._created = now
                REGISTRY.register(collector)


def _shortened(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Print a traceback from `runpy` on, without the fork server's frames."""
    start = trace
    while start and "runpy" not in start.tb_frame.f_code.co_filename:
        start = start.tb_next
    error.__traceback__ = start or trace
    sys.__excepthook__(kind, error, start or trace)


def default_signals(mask: set[int] | set[signal.Signals]) -> None:
    """Take the mask from before the server's, and no pending wake-up."""
    signal.set_wakeup_fd(-1)
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
