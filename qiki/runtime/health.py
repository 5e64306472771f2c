"""The health of a service: alive (its event loop turns), ready (all its inputs are there); and a watchdog.

The watchdog has a thread of its own: a stuck event loop is noticed at once and not by a timeout.
"""

import json
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable
from typing import Any

STUCK_AFTER_S = 2.0
ABANDONED_AFTER_S = 10.0
WATCH_S = 1.0
WRITE_S = 2.0
_DEBUGGERS = {"debugpy", "pdb", "pydevd"}


class Health:
    """Liveness and readiness of one process. The event loop writes it; the server and the watchdog read it."""

    def __init__(self, service: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.service = service
        self._clock = clock
        self._beat_s = clock()
        self.problems: dict[str, str] = {}  # by condition
        self._tried_s: dict[str, float] = {}
        self._was_ready = False
        self._lock = threading.Lock()
        self._waiting: list[Callable[[], None]] = []

    def beat(self) -> None:
        """Note that the event loop turns."""
        self._beat_s = self._clock()

    def wait_for(self, condition: str, problem: str) -> None:
        """Be unready, because `condition` does not hold: `problem`."""
        self.problems = self.problems | {condition: problem}

    def tried(self, condition: str) -> None:
        """Note an attempt to bring `condition` about. After the first one, 10 s without another are a fault."""
        self._tried_s = self._tried_s | {condition: self._clock()}

    def met(self, condition: str) -> None:
        """Note that `condition` holds."""
        self._tried_s = {name: tried_s for name, tried_s in self._tried_s.items() if name != condition}
        self.problems = {name: problem for name, problem in self.problems.items() if name != condition}
        if self.problems:
            return
        self._was_ready = True
        with self._lock:
            waiting, self._waiting = self._waiting, []
        for call in waiting:
            call()

    def alive(self) -> tuple[bool, dict[str, Any]]:
        """Return whether the event loop turns and retries each condition that is not met."""
        now_s = self._clock()
        if (silent_s := now_s - self._beat_s) >= STUCK_AFTER_S:
            return False, {"status": "stuck", "service": self.service, "silent_s": round(silent_s, 1)}
        for condition, tried_s in self._tried_s.items():
            if (idle_s := now_s - tried_s) >= ABANDONED_AFTER_S:
                problem = f"not tried again for {idle_s:.0f} s"
                return False, {"status": "abandoned", "service": self.service, "waiting_for": {condition: problem}}
        return True, {"status": "ok", "service": self.service}

    def ready(self) -> tuple[bool, dict[str, Any]]:
        """Return whether it is alive and every condition holds."""
        alive, body = self.alive()
        if not alive or not self.problems:
            return alive, body
        status = "waiting" if self._was_ready else "starting"
        return False, {"status": status, "service": self.service, "waiting_for": self.problems}

    def call_when_started(self, call: Callable[[], None]) -> bool:
        """Call once when the start ends, from the thread that ends it; False, without a call, if it is over."""
        with self._lock:
            starting = bool(self.problems) and not self._was_ready
            if starting:
                self._waiting.append(call)
        return starting

    def forget(self, call: Callable[[], None]) -> None:
        """Take a call back."""
        with self._lock:
            self._waiting = [one for one in self._waiting if one != call]


class Watchdog:
    """A thread that ends the process with status 1 when its health has not been alive for `patience_s`.

    It counts its own looks and not the time: a process that was stopped and goes on, or a machine that slept, has
    `patience_s` to recover; 0 turns the watchdog off. It rests under a debugger. A loop that holds the interpreter's
    lock in C code stops the watchdog too.
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
        while not self._ended.wait(WATCH_S):
            alive, answer = self._health.alive()
            dead_s = 0.0 if alive or _DEBUGGERS & sys.modules.keys() else dead_s + WATCH_S
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
