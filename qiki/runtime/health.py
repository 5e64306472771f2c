"""The health of a service: over HTTP `/healthz` (alive), `/readyz` (all its inputs are there), `/metrics`; a watchdog.

Server and watchdog have threads of their own: a stuck event loop is reported at once and not by a timeout.
"""

import json
import os
import select
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable
from socketserver import TCPServer, ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server
from wsgiref.types import StartResponse, WSGIEnvironment

from prometheus_client import make_wsgi_app

from qiki.runtime.probe import WAIT_S

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
        self._changed = threading.Condition()

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
        self._was_ready = self._was_ready or not self.problems
        with self._changed:
            self._changed.notify_all()

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

    def ready_soon(self, patience_s: float) -> tuple[bool, dict[str, Any]]:
        """Return the same, after a start that ends within `patience_s`."""
        with self._changed:
            self._changed.wait_for(lambda: self._was_ready or not self.problems, patience_s)
        return self.ready()


class HealthServer:
    """HTTP server of a `Health` and the process's metrics. Port 0 takes a free one, which is in `port`."""

    def __init__(self, health: Health, host: str, port: int) -> None:
        self._metrics = make_wsgi_app()
        self._health = health
        self._server = make_server(host, port, self._answer, server_class=_Server, handler_class=_Quiet)
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._serve, name="health", daemon=True)

    def __enter__(self) -> "HealthServer":
        self._end, self._ended = socket.socketpair()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.close()
        self._thread.join()
        self._ended.close()
        self._server.server_close()

    def _serve(self) -> None:
        """Answer until the end; the standard library's loop asks every so often whether it is over."""
        sockets = [self._server.socket, self._ended]
        while self._ended not in select.select(sockets, [], [])[0]:
            self._server.handle_request()

    def _answer(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path == "/metrics":
            page: Iterable[bytes] = self._metrics(environ, start_response)
            return page
        if path not in {"/healthz", "/readyz"}:
            start_response("404 Not Found", [("Content-Type", "text/plain")])
            return [b"/healthz, /readyz, /metrics\n"]
        if path == "/healthz":
            good, body = self._health.alive()
        else:  # `/readyz?wait` is answered when the service is no longer starting
            good, body = self._health.ready_soon(WAIT_S if environ["QUERY_STRING"] == "wait" else 0)
        start_response("200 OK" if good else "503 Service Unavailable", [("Content-Type", "application/json")])
        return [json.dumps(body).encode() + b"\n"]


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True  # a silent client does not delay the end
    timeout = 1.0  # [s], for a client that is gone before it is served

    def server_bind(self) -> None:
        """Bind without the standard library's reverse look-up of the host name, which can take seconds."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]
        self.setup_environ()


class _Quiet(WSGIRequestHandler):
    timeout = 2  # [s], for a client that sends nothing

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Log nothing: there is a probe every second."""


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
