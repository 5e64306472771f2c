"""The health server over real HTTP, and the probe that asks it."""

import http.client
import json
import subprocess
import sys
from collections.abc import Iterator

import pytest

from qiki.runtime import probe
from qiki.runtime.health import STUCK_AFTER_S, Health, HealthServer


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


def test_not_ready_says_what_it_waits_for_and_stays_alive(server: HealthServer, health: Health):
    health.wait_for("nats", "not connected yet")
    health.wait_for("simulator", "UNAVAILABLE")
    status, body = get(server, "/readyz")
    assert status == 503
    assert json.loads(body) == {
        "status": "waiting",
        "service": "example",
        "waiting_for": {"nats": "not connected yet", "simulator": "UNAVAILABLE"},
    }
    assert get(server, "/healthz")[0] == 200
    health.met("nats")
    assert json.loads(get(server, "/readyz")[1])["waiting_for"] == {"simulator": "UNAVAILABLE"}
    health.met("simulator")
    assert get(server, "/readyz")[0] == 200


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
    health.wait_for("nats", "connection lost")
    status, said = ask(url)
    assert status == 1
    assert json.loads(said)["waiting_for"] == {"nats": "connection lost"}


def test_the_probe_fails_where_nobody_listens(server: HealthServer, health: Health):
    with HealthServer(health, "127.0.0.1", 0) as other:
        port = other.port
    status, said = ask(f"http://127.0.0.1:{port}/healthz")
    assert status == 1
    assert "refused" in said
