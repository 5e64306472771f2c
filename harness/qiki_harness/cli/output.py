"""Output of the commands: tables, complaints, logs, the progress of a start."""

import logging
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TextIO

from qiki.runtime.terminal import DIM, GREEN, RED, Line, Painted, echo, has_colour, overwrite, wipe
from qiki.text import printable
from qiki_harness.stack import ServiceStatus, Stack, StackInfo, State
from qiki_harness.stack.runfolder import LogFollower

_COLOURS = (36, 32, 33, 35, 34, 96, 92, 93, 95, 94)
_POLL_S = 0.05


class LogLines(logging.Handler):
    """Prints what libraries log, in the place of logging's last resort."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print one record."""
        echo(*self.format(record).split("\n"), stream=sys.stderr)


def complain(message: str, last_words: Sequence[str] = ()) -> None:
    """Print an error and the last log lines of its cause on stderr."""
    echo(*(f"  | {line}" for line in last_words), (Painted("qiki:", RED), f" {message}"), stream=sys.stderr)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return the lines of a table whose columns are as wide as they need."""
    lines = [head, *([printable(cell) for cell in row] for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]


def prefixes(sources: Sequence[str]) -> dict[str, Painted]:
    """Return what stands before the log lines of each source, each in its colour."""
    width = max((len(source) for source in sources), default=0)
    padded = [f"{source.ljust(width)} |" for source in sources]
    return {source: Painted(padded[i], _COLOURS[i % len(_COLOURS)]) for i, source in enumerate(sources)}


class LogView:
    """Prints the lines of several logs of a stack: the last ones, and those that are written from now on."""

    def __init__(self, stack: Stack, sources: Sequence[str]) -> None:
        self._stack = stack
        self._prefixes = prefixes(sources)
        self._follower = LogFollower(stack.folder.log(source) for source in sources)

    def show_last(self, lines: int) -> None:
        """Print the last lines of each log."""
        for source in self._prefixes:
            for line in self._stack.logs(source, lines):
                echo((self._prefixes[source], f" {line}"))

    def follow(self) -> None:
        """Print new lines until the stack ends."""
        alive = True
        while alive:
            alive = self._stack.alive  # before the lines: the last ones are shown too
            for source, line in self._follower.new_lines():
                echo((self._prefixes[source], f" {line}"))
            time.sleep(_POLL_S)


class Progress:
    """Prints a line for each service that becomes ready; on a terminal also what is pending."""

    def __init__(self, stream: TextIO = sys.stdout) -> None:
        self._stream = stream
        self._shown = set[str]()

    def show(self, info: StackInfo) -> None:
        """Print what is new."""
        self.clear()
        width = max(len(name) for name in info.services)
        for status in info.services.values():
            if status.ready_after_s is not None and status.name not in self._shown:
                self._shown.add(status.name)
                echo(_ready_line(status, width), stream=self._stream)
        pending = [_pending(status) for status in info.services.values() if not status.ready]
        if pending and has_colour(self._stream):
            room = shutil.get_terminal_size().columns - 4
            overwrite(Painted(printable(f"  … {'; '.join(pending)}")[:room], DIM), self._stream)

    def clear(self) -> None:
        """Remove the line about what is pending."""
        if has_colour(self._stream):
            wipe(self._stream)


def summary(info: StackInfo, page: Sequence[str] = (), *, detached: bool) -> list[str]:
    """Say what runs, where, and what to type next, in at most eight lines. `page`: the lines of the page."""
    times = [status.ready_after_s or 0.0 for status in info.services.values()]
    started = [status for status in info.services.values() if status.state is not State.EXTERNAL]
    name = "" if info.name == "default" else f" --name {info.name}"
    next_steps = ["qiki watch", "qiki ps", *(["qiki logs -f", "qiki down"] if detached else [])]
    lines = [
        f"Stack {info.name!r} is up: {len(started)} services in {max(times):.1f} s.",
        "  reach it at   "
        + "  ".join(f"{key}={value}" for key, value in info.addresses.items() if not key.endswith("_DIR")),
        *page,
        f"  logs, data in {info.folder}",
        "  next          " + "   ".join(step + name for step in next_steps) + ("" if detached else "   Ctrl-C ends it"),
    ]
    waiting = [status.name for status in info.services.values() if status.state is State.WAITING]
    if waiting:
        lines.insert(1, f"  until you start the rest by hand these wait: {', '.join(waiting)}")
    return lines


def by_hand(info: StackInfo) -> list[str]:
    """Say how to run what was left out."""
    theirs = [status for status in info.services.values() if status.by_hand]
    return [
        line
        for status in theirs
        for line in (
            f"Run {status.name} yourself (variables also in {info.folder / status.name}.env):",
            f"  {status.by_hand}",
        )
    ]


def _ready_line(status: ServiceStatus, width: int) -> Line:
    name, word = status.name.ljust(width), "done" if status.one_shot else "ready"
    held = f"  (waited for {status.held_by} until {status.held_s:.2f} s)" if status.held_by else ""
    return "  ", Painted("✓", GREEN), f" {name}  {word:5} {status.ready_after_s:6.2f} s", Painted(held, DIM)


def _pending(status: ServiceStatus) -> str:
    if status.waiting_for:
        return f"{status.name} waits for {', '.join(status.waiting_for)}"
    return f"{status.name} {'is yours to start' if status.by_hand else 'starts'}"


@contextmanager
def until_signal() -> Iterator[Callable[[], bool]]:
    """Within the context SIGINT and SIGTERM end nothing; what it gives says whether one came."""
    came = False

    def note(*_: object) -> None:
        nonlocal came
        came = True

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
