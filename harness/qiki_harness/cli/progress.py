"""Output of `qiki up` while the stack starts, and when it is up."""

import shutil
import sys
from typing import TextIO

from qiki_harness.cli.output import DIM, GREEN, has_colour, paint
from qiki_harness.stack import ServiceStatus, StackInfo, State


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
    name = "" if info.name == "default" else f" --name {info.name}"
    next_steps = ["qiki watch", "qiki ps", *(["qiki logs -f", "qiki down"] if detached else [])]
    lines = [
        f"Stack {info.name!r} is up: {len(info.services)} services in {max(times):.1f} s.",
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
