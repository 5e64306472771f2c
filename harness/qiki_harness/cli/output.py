"""Output of the commands: colours on a terminal, tables, complaints, logs, the progress of a start."""

import os
import shutil
import sys
import time
from collections.abc import Iterable, Sequence
from typing import TextIO

from qiki_harness.stack import ServiceStatus, Stack, StackInfo, State
from qiki_harness.stack.runfolder import LogFollower

_COLOURS = (36, 32, 33, 35, 34, 96, 92, 93, 95, 94)
RED, GREEN, YELLOW, DIM = 31, 32, 33, 2
_POLL_S = 0.05


def has_colour(stream: TextIO) -> bool:
    """Return whether a stream is a terminal whose user wants colour (no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR")


def paint(text: str, code: int, stream: TextIO = sys.stdout) -> str:
    """Return a text in a colour, if the stream has colour."""
    return f"\x1b[{code}m{text}\x1b[0m" if has_colour(stream) else text


def printable(text: str) -> str:
    """Return a text of the bus without what would drive the terminal."""
    return text if text.isprintable() else "".join(one if one.isprintable() else "?" for one in text)


def complain(message: str, last_words: Sequence[str] = ()) -> None:
    """Print an error and the last log lines of its cause on stderr."""
    for line in last_words:
        print(f"  | {line}", file=sys.stderr)
    print(f"{paint('qiki:', RED, sys.stderr)} {message}", file=sys.stderr)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table whose columns are as wide as they need."""
    lines = [head, *rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def prefixes(sources: Sequence[str]) -> dict[str, str]:
    """Return what stands before the log lines of each source, each in its colour."""
    width = max((len(source) for source in sources), default=0)
    return {source: paint(f"{source.ljust(width)} |", _COLOURS[i % len(_COLOURS)]) for i, source in enumerate(sources)}


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
                print(f"{self._prefixes[source]} {line}")

    def follow(self) -> None:
        """Print new lines until the stack ends."""
        alive = True
        while alive:
            alive = self._stack.alive  # before the lines: the last ones are shown too
            for source, line in self._follower.new_lines():
                print(f"{self._prefixes[source]} {line}")
            sys.stdout.flush()
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
                print(_ready_line(status, width, self._stream), file=self._stream, flush=True)
        pending = [_pending(status) for status in info.services.values() if not status.ready]
        if pending and has_colour(self._stream):
            room = shutil.get_terminal_size().columns - 4
            print(paint(f"  … {'; '.join(pending)}"[:room], DIM, self._stream), end="", file=self._stream, flush=True)

    def clear(self) -> None:
        """Remove the line about what is pending."""
        if has_colour(self._stream):
            print("\r\x1b[K", end="", file=self._stream)


def summary(info: StackInfo, *, detached: bool) -> str:
    """Say what runs, where, and what to type next, in at most six lines."""
    times = [status.ready_after_s or 0.0 for status in info.services.values()]
    started = [status for status in info.services.values() if status.state is not State.EXTERNAL]
    name = "" if info.name == "default" else f" --name {info.name}"
    next_steps = ["qiki watch", "qiki ps", *(["qiki logs -f", "qiki down"] if detached else [])]
    lines = [
        f"Stack {info.name!r} is up: {len(started)} services in {max(times):.1f} s.",
        "  reach it at   "
        + "  ".join(f"{key}={value}" for key, value in info.addresses.items() if not key.endswith("_DIR")),
        f"  logs, data in {info.folder}",
        "  next          " + "   ".join(step + name for step in next_steps) + ("" if detached else "   Ctrl-C ends it"),
    ]
    waiting = [status.name for status in info.services.values() if status.state is State.WAITING]
    if waiting:
        lines.insert(1, f"  until you start the rest by hand these wait: {', '.join(waiting)}")
    return "\n".join(lines)


def by_hand(info: StackInfo) -> str:
    """Say how to run what was left out."""
    return "\n".join(
        f"Run {status.name} yourself (variables also in {info.folder / status.name}.env):\n  {status.by_hand}"
        for status in info.services.values()
        if status.by_hand
    )


def _ready_line(status: ServiceStatus, width: int, stream: TextIO) -> str:
    name, word = status.name.ljust(width), "done" if status.one_shot else "ready"
    held = f"  (waited for {status.held_by} until {status.held_s:.2f} s)" if status.held_by else ""
    return f"  {paint('✓', GREEN, stream)} {name}  {word:5} {status.ready_after_s:6.2f} s{paint(held, DIM, stream)}"


def _pending(status: ServiceStatus) -> str:
    if status.waiting_for:
        return f"{status.name} waits for {', '.join(status.waiting_for)}"
    return f"{status.name} {'is yours to start' if status.by_hand else 'starts'}"
