"""The watchdog: ends a process that is not alive, so that its supervisor starts a new one."""

import json
import os
import sys
import threading
import traceback
from typing import Any

from qiki.runtime.health import Health

LOOK_S = 1.0
WRITE_S = 2.0
_DEBUGGERS = {"debugpy", "pdb", "pydevd"}


class Watchdog:
    """A thread that ends the process with status 1 when its health has not been alive for `patience_s`.

    It counts its own looks and not the time: a process that was stopped and goes on, or a machine that slept, has
    `patience_s` to recover. It rests under a debugger. A loop that holds the interpreter's lock in C code stops the
    watchdog too.

    Args:
        health: Health of the process.
        patience_s: Time [s]; 0 turns the watchdog off.
    """

    def __init__(self, health: Health, patience_s: float) -> None:
        self._health = health
        self._patience_s = patience_s
        self._watched = threading.get_ident()
        self._ended = threading.Event()

    def __enter__(self) -> "Watchdog":
        if self._patience_s and not sys.gettrace():
            threading.Thread(target=self._watch, name="watchdog", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()

    def _watch(self) -> None:
        dead_s = 0.0
        while not self._ended.wait(LOOK_S):
            alive, answer = self._health.alive()
            dead_s = 0.0 if alive or _DEBUGGERS & sys.modules.keys() else dead_s + LOOK_S
            if dead_s >= self._patience_s:
                self._end(answer)

    def _end(self, answer: dict[str, Any]) -> None:
        """Write a last line and end. It does not go through logging: the loop may hold its lock, or block on stderr."""
        frame = sys._current_frames().get(self._watched)
        stack = "".join(traceback.format_stack(frame)) if frame else ""
        line = {"event": "not alive: ends itself", "level": "critical", **answer, "stack": stack}
        writer = threading.Thread(target=os.write, args=(2, json.dumps(line).encode() + b"\n"), daemon=True)
        writer.start()
        writer.join(WRITE_S)
        os._exit(1)
