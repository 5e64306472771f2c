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
from typing import Any, cast

from qiki_harness.forks.preload import Preload
from qiki_harness.forks.title import take_title

_UNBUFFERED = "PYTHONUNBUFFERED"


def take_streams(given: int, output: int, errors: int) -> None:
    """Make these the standard streams, for Python too."""
    for target, source in enumerate((given, output, errors)):
        os.dup2(source, target)


def open_streams() -> None:
    """Open `sys.stdin` and its kin as an interpreter does at its start."""
    python: Any = sys
    for descriptor, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        stream = _text(descriptor, f"<{name}>", mode, getattr(sys, name))
        setattr(python, name, stream)
        setattr(python, f"__{name}__", stream)


def _text(descriptor: int, name: str, mode: str, former: Any) -> io.TextIOWrapper:
    unbuffered = bool(os.environ.get(_UNBUFFERED))
    buffer: Any = open(descriptor, f"{mode}b", 0 if unbuffered and mode == "w" else -1, closefd=False)  # noqa: SIM115
    getattr(buffer, "raw", buffer).name = name
    lines = not unbuffered and (os.isatty(descriptor) or name == "<stderr>")
    stream: Any = io.TextIOWrapper(
        buffer, former.encoding, former.errors, line_buffering=lines, write_through=unbuffered
    )
    stream.mode = mode
    return cast("io.TextIOWrapper", stream)


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
    preload: Preload

    def prepare(self) -> None:
        """Have what an interpreter has before the first line of `python -m MODULE`."""
        self.preload.end(self.modules)
        python = os.path.join(os.path.dirname(sys.executable), "python")  # noqa: PTH118, PTH120
        sys.executable = python
        words = ["python", "-m", self.module, *self.arguments]
        sys.argv, sys.orig_argv = ["-m", *self.arguments], words
        sys.modules["__main__"] = ModuleType("__main__")
        sys.excepthook = _shortened
        seed_anew()
        take_title(words, self.module)
        open_streams()

    def run(self) -> None:
        """Run it; the process ends as the interpreter ends."""
        runpy.run_module(self.module, run_name="__main__", alter_sys=True)


def _shortened(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Print a traceback without the fork server's frames."""
    start = trace
    while start and start.tb_frame.f_code is not ServiceMain.run.__code__:
        start = start.tb_next
    shown = start.tb_next if start else trace
    sys.__excepthook__(kind, error.with_traceback(shown), shown)


def default_signals(mask: set[int] | set[signal.Signals]) -> None:
    """Take the mask from before the server's, and no pending wake-up."""
    signal.set_wakeup_fd(-1)
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
