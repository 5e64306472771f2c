"""Output of the commands: colours on a terminal, tables, complaints, logs, events, the progress of a start."""

import json
import os
import shutil
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TextIO

from qiki_harness.stack import ServiceStatus, Stack, StackInfo, State
from qiki_harness.stack.runfolder import LogFollower

_COLOURS = (36, 32, 33, 35, 34, 96, 92, 93, 95, 94)
RED, GREEN, YELLOW, DIM = 31, 32, 33, 2
_POLL_S = 0.05
_SEVERITY_COLOURS = {"WARNING": YELLOW, "ERROR": RED, "CRITICAL": RED}
_SHORT = {"INFO": "info", "WARNING": "WARN", "ERROR": "ERR!", "CRITICAL": "CRIT"}
_NAME, _SOURCE = 21, 23
_COMMON = {"schema_version", "category", "source", "ts_epoch", "kind"}  # in every payload, and already in the line
_FIRST = ("message", "reason", "frames", "detections", "tracks")
_TEXTS = {"message", "reason"}  # the value is enough
_NARROWEST = 80


def has_colour(stream: TextIO) -> bool:
    """Return whether a stream is a terminal whose user wants colour (no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR")


def paint(text: str, code: int, stream: TextIO = sys.stdout) -> str:
    """Return a text in a colour, if the stream has colour."""
    return f"\x1b[{code}m{text}\x1b[0m" if has_colour(stream) else text


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
        "  reach it at   " + "  ".join(f"{key}={value}" for key, value in info.addresses.items()),
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


class EventLines:
    """Prints records of the audit log with their times of registration in UTC; a new day gets a line of its own.

    A line has the most important on a terminal of 80 columns, and more on wider ones.
    """

    def __init__(self, stream: TextIO = sys.stdout) -> None:
        self._stream = stream
        self._day = ""
        self._width = max(shutil.get_terminal_size().columns, _NARROWEST) if has_colour(stream) else None

    def show(self, _: bytes, record: Mapping[str, Any]) -> None:
        """Print one record."""
        day, _, clock = record["registered_at"].partition("T")
        if day != self._day:
            self._day = day
            print(paint(f"-- {day} (UTC)", DIM, self._stream), file=self._stream)
        text = event_line(record, clock[:8])[: self._width]
        colour = _SEVERITY_COLOURS.get(record["severity"])
        print(paint(text, colour, self._stream) if colour else text, file=self._stream)


def event_line(record: Mapping[str, Any], clock: str) -> str:
    """Return time, severity, code, its name, source and details."""
    from qiki.contracts.events import CODES  # noqa: PLC0415  # pydantic

    code = record["code"]
    name = CODES.get(code) or record["event_type"].rpartition(".")[2]
    source = record["source"].removeprefix("urn:qiki:")
    head = f"{clock} {_SHORT[record['severity']]} {code or '---'} {name[:_NAME]:{_NAME}} {source[:_SOURCE]:{_SOURCE}}"
    return f"{head} {details(record['payload'])}".rstrip()


def details(payload: Any) -> str:
    """Return the values of a payload that are not in every payload."""
    if not isinstance(payload, dict):
        return "" if payload is None else json.dumps(payload)
    told = {key: value for key, value in payload.items() if key not in _COMMON and value not in ("", None, [], {})}
    keys = [*(key for key in _FIRST if key in told), *(key for key in told if key not in _FIRST)]
    return " ".join(_word(told[key]) if key in _TEXTS else f"{key}={_word(told[key])}" for key in keys)


def _word(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
