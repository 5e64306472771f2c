"""The health server over real HTTP, and the probe that asks it."""

import http.client
import json
import resource
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from qiki.runtime import probe
from qiki.runtime.health import ABANDONED_AFTER_S, STUCK_AFTER_S, Health
from qiki.runtime.health_server import CONNECTIONS, MAX_HEAD_BYTES, HealthServer
from qiki_harness.testing import until


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def health(clock: Clock) -> Health:
    return Health("example", clock)


@pytest.fixture
def server(health: Health) -> Iterator[HealthServer]:
    with HealthServer(health, "127.0.0.1", 0) as running:
        yield running


def get(server: HealthServer, path: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
    connection.request("GET", path)
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer.status, body


def test_alive_and_ready(server: HealthServer):
    assert get(server, "/healthz") == (200, '{"status": "ok", "service": "example"}\n')
    assert get(server, "/readyz") == (200, '{"status": "ok", "service": "example"}\n')


def test_the_question_that_waits_is_answered_at_the_end_of_the_start_and_at_once_later(
    server: HealthServer, health: Health, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("qiki.runtime.health_server.WAIT_S", 600.0)
    health.wait_for("main", "starting")
    with ThreadPoolExecutor() as pool:
        answer = pool.submit(get, server, "/readyz?wait")
        until("the question to wait", lambda: health._waiting)
        health.met("main")
        assert answer.result()[0] == 200
    health.wait_for("nats", "connection lost")
    assert get(server, "/readyz?wait")[0] == 503


def test_not_ready_says_what_it_waits_for_and_stays_alive(server: HealthServer, health: Health):
    health.wait_for("nats", "not connected yet")
    health.wait_for("simulator", "UNAVAILABLE")
    status, body = get(server, "/readyz")
    assert status == 503
    assert json.loads(body) == {
        "status": "starting",
        "service": "example",
        "waiting_for": {"nats": "not connected yet", "simulator": "UNAVAILABLE"},
    }
    assert get(server, "/healthz")[0] == 200
    health.met("nats")
    assert json.loads(get(server, "/readyz")[1])["waiting_for"] == {"simulator": "UNAVAILABLE"}
    health.met("simulator")
    assert get(server, "/readyz")[0] == 200
    health.wait_for("nats", "connection lost")
    assert json.loads(get(server, "/readyz")[1])["status"] == "waiting"


def test_a_condition_that_was_never_missing_may_be_met(health: Health):
    health.met("anything")
    assert health.problems == {}


def test_a_stuck_event_loop_is_neither_alive_nor_ready(server: HealthServer, health: Health, clock: Clock):
    clock.now_s += STUCK_AFTER_S - 0.001
    assert get(server, "/healthz")[0] == 200
    clock.now_s += 0.001
    for path in ("/healthz", "/readyz"):
        status, body = get(server, path)
        assert status == 503
        assert json.loads(body) == {"status": "stuck", "service": "example", "silent_s": STUCK_AFTER_S}
    health.beat()
    assert get(server, "/healthz")[0] == 200


def test_what_is_lost_and_not_tried_again_is_not_alive(server: HealthServer, health: Health, clock: Clock):
    health.wait_for("nats", "connection lost")
    health.tried("nats")
    for _ in range(5):
        clock.now_s += ABANDONED_AFTER_S - 1
        health.beat()
        assert get(server, "/healthz")[0] == 200
        assert get(server, "/readyz")[0] == 503
        health.tried("nats")
    clock.now_s += ABANDONED_AFTER_S
    health.beat()
    status, body = get(server, "/healthz")
    assert status == 503
    assert json.loads(body) == {
        "status": "abandoned",
        "service": "example",
        "waiting_for": {"nats": "not tried again for 10 s"},
    }
    health.met("nats")
    clock.now_s += ABANDONED_AFTER_S
    health.beat()
    assert get(server, "/healthz")[0] == 200


def test_metrics_are_prometheus_text(server: HealthServer):
    status, body = get(server, "/metrics")
    assert status == 200
    assert "# TYPE process_cpu_seconds_total counter" in body


def test_other_pages_are_not_found(server: HealthServer):
    assert get(server, "/") == (404, "/healthz, /readyz, /metrics\n")


def ask(*arguments: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-IS", probe.__file__, *arguments], check=False, capture_output=True, text=True, timeout=20
    )
    assert done.stderr == ""
    return done.returncode, done.stdout


def test_the_probe_tells_ready_from_waiting(server: HealthServer, health: Health):
    url = f"http://127.0.0.1:{server.port}/readyz"
    assert ask(url) == (0, '{"status": "ok", "service": "example"}\n')
    health.met("main")
    health.wait_for("nats", "connection lost")
    status, said = ask(url)
    assert status == 1
    assert json.loads(said)["waiting_for"] == {"nats": "connection lost"}


@pytest.mark.parametrize(("tolerated", "status"), [("connection lost", 0), ("write error", 1)])
def test_a_fault_that_is_tolerated_passes_the_probe(server: HealthServer, health: Health, tolerated: str, status: int):
    health.met("main")
    health.wait_for("nats", "connection lost")
    assert ask(f"http://127.0.0.1:{server.port}/readyz", tolerated)[0] == status


def test_the_probe_fails_where_nobody_listens(health: Health, capsys: pytest.CaptureFixture[str]):
    with HealthServer(health, "127.0.0.1", 0) as other:
        port = other.port
    assert probe.main(f"http://127.0.0.1:{port}/healthz", wait_s=0) == 1
    assert "refused" in capsys.readouterr().out


def test_the_probe_waits_for_what_starts(health: Health, capsys: pytest.CaptureFixture[str]):
    asked = threading.Event()

    class Starting(Health):
        def ready(self) -> tuple[bool, dict[str, Any]]:
            answer = super().ready()
            asked.set()
            return answer

    service = Starting("example")
    service.wait_for("nats", "not connected yet")
    with HealthServer(service, "127.0.0.1", 0) as server, ThreadPoolExecutor() as pool:
        result = pool.submit(probe.main, f"http://127.0.0.1:{server.port}/readyz", "", 60)
        assert asked.wait(60)
        service.met("nats")
        assert result.result() == 0
    assert json.loads(capsys.readouterr().out)["status"] == "ok"


def send(server: HealthServer, request: bytes) -> bytes:
    """Send bytes; all that comes back until the connection ends."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(request)
        return b"".join(iter(lambda: connection.recv(65_536), b""))


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"HEAD /healthz HTTP/1.1\r\n\r\n", b"200"),
        (b"POST /healthz HTTP/1.1\r\n\r\n", b"405"),
        (b"GET /healthz\r\n\r\n", b"400"),
        (b"\xff\x00\r\n\r\n", b"400"),
        (b"GET /" + b"x" * MAX_HEAD_BYTES, b"431"),
    ],
)
def test_every_request_gets_a_status(server: HealthServer, request_: bytes, status: bytes):
    answer = send(server, request_)
    assert answer.split(b" ")[1] == status
    assert (answer.partition(b"\r\n\r\n")[2] == b"") is (status == b"200")


def test_a_thousand_slow_clients_hold_up_no_probe_and_take_no_thread(server: HealthServer):
    """They send a part of a request, and then nothing."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    threads = threading.active_count()
    slow = list[socket.socket]()
    try:
        for number in range(1000):
            slow.append(socket.create_connection(("127.0.0.1", server.port), timeout=60))
            slow[-1].sendall(b"GET /healthz HT")
            if number % 100 == 99:
                assert get(server, "/healthz")[0] == 200
        assert threading.active_count() == threads
        assert len(server._connections) <= CONNECTIONS
        page = get(server, "/metrics")[1].splitlines()
        assert 'qiki_http_cut_total{reason="too many"}' in " ".join(page)
    finally:
        for connection in slow:
            connection.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def cut(connection: socket.socket) -> bool:
    """Send one more byte; return whether the server has closed the connection."""
    try:
        connection.sendall(b"x")
        return connection.recv(1) == b""
    except TimeoutError:
        return False
    except OSError:
        return True


def test_a_request_that_comes_byte_by_byte_is_over_at_the_deadline(
    server: HealthServer, monkeypatch: pytest.MonkeyPatch
):
    """A limit on each read would never end it."""
    monkeypatch.setattr("qiki.runtime.health_server.DEADLINE_S", 0.5)
    with socket.create_connection(("127.0.0.1", server.port), timeout=0.02) as connection:
        until("the connection to be cut", lambda: cut(connection))


def test_an_answer_that_nobody_takes_is_over_at_the_deadline(server: HealthServer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("qiki.runtime.health_server.DEADLINE_S", 0.2)
    monkeypatch.setattr("qiki.runtime.health_server.generate_latest", lambda: b"x" * (64 << 20))
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(b"GET /metrics HTTP/1.1\r\n\r\n")
        until("the connection to be there", lambda: server._connections)
        until("the connection to be cut", lambda: not server._connections)
