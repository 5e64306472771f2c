"""The health of a service over HTTP: `/healthz` (alive), `/readyz` (all its inputs are there), `/metrics`.

One thread with an event loop of its own: a stuck service still answers, and no number of clients takes more threads.
A connection is for one request and has `DEADLINE_S` for all of it. Beyond `CONNECTIONS` the oldest is closed, which is
the slowest: a probe is answered within milliseconds.
"""

import asyncio
import json
import socket
import threading
from concurrent.futures import Future
from functools import partial

from prometheus_client import CONTENT_TYPE_LATEST, Counter, generate_latest

from qiki.runtime.health import Health
from qiki.runtime.probe import WAIT_S

CONNECTIONS = 128
DEADLINE_S = 4.0
MAX_HEAD_BYTES = 8192
BACKLOG = 1024  # connections that the system keeps for us
ACCEPTED_AT_ONCE = CONNECTIONS // 8  # so that a crowd cannot push out a connection whose request has not been read yet
JSON, TEXT = "application/json", "text/plain; charset=utf-8"
PAGES = "/healthz, /readyz, /metrics\n"
CUT = Counter("qiki_http_cut_total", "Health connections that were closed without an answer", ["reason"])


class HealthServer:
    """HTTP server of a `Health` and the process's metrics. Port 0 takes a free one, which is in `port`."""

    def __init__(self, health: Health, host: str, port: int) -> None:
        self.health = health
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind((host, port))
        self._socket.listen(BACKLOG)
        self.port: int = self._socket.getsockname()[1]
        self._connections: dict[_Connection, None] = {}  # oldest first
        self._end: Future[None] = Future()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="health", daemon=True)

    def __enter__(self) -> "HealthServer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set_result(None)
        self._thread.join()

    async def _serve(self) -> None:
        loop = asyncio.get_running_loop()
        make = partial(_Connection, self)
        server = await loop.create_server(make, sock=self._socket, backlog=ACCEPTED_AT_ONCE)
        self._socket.listen(BACKLOG)  # asyncio takes one number for both
        await asyncio.wrap_future(self._end)
        server.close()
        for connection in list(self._connections):
            connection.cut("end")

    def admit(self, connection: "_Connection") -> None:
        """Count a new connection, and close the oldest if there are too many."""
        if len(self._connections) >= CONNECTIONS:
            next(iter(self._connections)).cut("too many")
        self._connections[connection] = None

    def dismiss(self, connection: "_Connection") -> None:
        """Forget a connection that is closed."""
        self._connections.pop(connection, None)
        self.health.forget(connection.started)

    def page(self, path: str) -> tuple[str, str, bytes]:
        """Return status, content type and body of a page."""
        if path == "/metrics":
            return "200 OK", CONTENT_TYPE_LATEST, generate_latest()
        if path not in {"/healthz", "/readyz"}:
            return "404 Not Found", TEXT, PAGES.encode()
        good, body = self.health.alive() if path == "/healthz" else self.health.ready()
        return "200 OK" if good else "503 Service Unavailable", JSON, json.dumps(body).encode() + b"\n"


class _Connection(asyncio.Protocol):
    """One request and its answer."""

    _transport: asyncio.Transport
    _deadline: asyncio.TimerHandle

    def __init__(self, server: HealthServer) -> None:
        self._server = server
        self._loop = asyncio.get_running_loop()
        self._head = b""
        self._asked = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._deadline = self._loop.call_later(DEADLINE_S, self.cut, "late")
        self._server.admit(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self._deadline.cancel()
        self._server.dismiss(self)

    def data_received(self, data: bytes) -> None:
        if self._asked:
            return
        self._head += data
        if b"\r\n\r\n" in self._head or b"\n\n" in self._head:
            self._asked = True
            self._answer()
        elif len(self._head) > MAX_HEAD_BYTES:
            self._asked = True
            self._send("431 Request Header Fields Too Large", TEXT, f"at most {MAX_HEAD_BYTES} bytes\n".encode())

    def cut(self, reason: str) -> None:
        """Close at once."""
        CUT.labels(reason).inc()
        self._server.dismiss(self)
        self._transport.abort()

    def _answer(self) -> None:
        method, _, rest = self._head.split(b"\n", 1)[0].decode("latin-1").strip().partition(" ")
        target, _, version = rest.partition(" ")
        if not version.startswith("HTTP/"):
            self._send("400 Bad Request", TEXT, b"expected GET PATH HTTP/1.1\n")
        elif method not in {"GET", "HEAD"}:
            self._send("405 Method Not Allowed", TEXT, b"expected GET or HEAD\n")
        elif target == "/readyz?wait" and self._server.health.call_when_started(self.started):
            self._loop.call_later(WAIT_S, self._say, "/readyz")
        else:
            self._say(target.partition("?")[0])

    def started(self) -> None:
        """Answer the question that waits; in the thread of the service."""
        self._loop.call_soon_threadsafe(self._say, "/readyz")

    def _say(self, path: str) -> None:
        self._send(*self._server.page(path))

    def _send(self, status: str, content_type: str, body: bytes) -> None:
        if self._transport.is_closing():
            return
        head = f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\nConnection: close"
        without_body = self._head.startswith(b"HEAD ")
        self._transport.write(f"{head}\r\n\r\n".encode() + (b"" if without_body else body))
        self._transport.close()
