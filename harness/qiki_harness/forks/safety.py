"""Things that may not exist before a fork: threads, event loops, open connections, children, signal handlers, tracers.

A gRPC channel or server has threads and descriptors of its own, so it needs no rule of its own.
"""

import os
import signal
import sys
import threading
from collections.abc import Set
from dataclasses import dataclass, field
from pathlib import Path

_SIGNALS = sorted(signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP})


def _handlers() -> dict[int, object]:
    return {number: signal.getsignal(number) for number in _SIGNALS}


@dataclass(frozen=True)
class Safety:
    """The state of a process that holds nothing yet, to compare with later."""

    handlers: dict[int, object] = field(default_factory=_handlers)

    def fault(self, own: Set[int], *, children: bool = False) -> str | None:
        """Return why this process may not fork; `own` are the descriptors that it may hold, or if it has children."""
        return (
            _threads()
            or _loop()
            or _tracer()
            or _descriptors(own)
            or self._changed_handlers()
            or (None if children else _children())
        )

    def _changed_handlers(self) -> str | None:
        now = _handlers()
        changed = [signal.Signals(number).name for number in _SIGNALS if now[number] != self.handlers[number]]
        return f"signal handlers were set: {', '.join(changed)}" if changed else None


def _threads() -> str | None:
    count = len(os.listdir("/proc/self/task"))  # noqa: PTH208  # C libraries' threads too
    if count > 1 or threading.active_count() > 1:
        names = ", ".join(thread.name for thread in threading.enumerate() if thread is not threading.main_thread())
        return f"{count} threads run{f': {names}' if names else ''}"
    return None


def _loop() -> str | None:
    events = sys.modules.get("asyncio.events")
    return "an event loop runs" if events and events._get_running_loop() else None


def _tracer() -> str | None:
    """Look for what a debugger or coverage has set: a new process would not have it."""
    monitoring = getattr(sys, "monitoring", None)  # Python 3.12
    tools = [monitoring.get_tool(number) for number in range(6)] if monitoring else []
    return "it is traced" if sys.gettrace() or sys.getprofile() or any(tools) else None


def _descriptors(own: Set[int]) -> str | None:
    for entry in os.listdir("/proc/self/fd"):  # noqa: PTH208
        if int(entry) not in own:
            try:
                return f"a descriptor is open: {Path(f'/proc/self/fd/{entry}').readlink()}"
            except OSError:  # the look's own
                continue
    return None


def _children() -> str | None:
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return None
    return "it has child processes"
