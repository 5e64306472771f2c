"""The engine's rules of health over given times, and the services' own probe, asked without a process."""

import asyncio
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qiki.runtime import probe as ours
from qiki.runtime.health import Health
from qiki.runtime.health_server import HealthServer
from qiki_harness.compose import Healthcheck
from qiki_harness.stack.guardian import Guardian
from qiki_harness.stack.health import HealthJudge, Probe, watch_health
from qiki_harness.stack.model import ServiceHealth
from qiki_harness.testing.wait import until_async

CHECK = Healthcheck(("probe",), interval_s=2.0, retries=3, start_period_s=10.0, start_interval_s=0.1)
PROJECT = Path(__file__).parents[3]
Run = Callable[..., tuple[bool, str]]


def test_probes_come_fast_until_the_first_success():
    judge = HealthJudge(CHECK)
    assert judge.pause_s(0.0) == 0.1
    judge.judge(0.1, passed=False)
    assert judge.pause_s(0.2) == 0.1
    judge.judge(0.3, passed=True)
    assert judge.pause_s(0.3) == 2.0


def test_probes_slow_down_at_the_end_of_the_start_period():
    assert HealthJudge(CHECK).pause_s(10.0) == 2.0


def test_failures_in_the_start_period_do_not_count():
    judge = HealthJudge(CHECK)
    for i in range(50):
        assert judge.judge(0.1 * i, passed=False) is ServiceHealth.STARTING
    assert judge.judge(10.5, passed=False) is ServiceHealth.STARTING
    assert judge.judge(12.5, passed=False) is ServiceHealth.STARTING
    assert judge.judge(14.5, passed=False) is ServiceHealth.UNHEALTHY


def test_the_first_success_ends_the_start_period():
    judge = HealthJudge(CHECK)
    assert judge.judge(1.0, passed=True) is ServiceHealth.HEALTHY
    verdicts = [judge.judge(t, passed=False) for t in (2.0, 3.0, 4.0)]
    assert verdicts == [ServiceHealth.HEALTHY, ServiceHealth.HEALTHY, ServiceHealth.UNHEALTHY]


def test_one_success_heals():
    judge = HealthJudge(Healthcheck(("probe",), retries=1))
    assert judge.judge(1.0, passed=False) is ServiceHealth.UNHEALTHY
    assert judge.judge(2.0, passed=True) is ServiceHealth.HEALTHY


@given(st.lists(st.booleans(), min_size=1), st.integers(1, 4))
def test_unhealthy_is_retries_failures_in_a_row(results: list[bool], retries: int):
    judge = HealthJudge(Healthcheck(("probe",), retries=retries))
    for passed in results:
        verdict = judge.judge(0.0, passed=passed)
    tail = [*results[::-1], True].index(True)
    assert (verdict is ServiceHealth.UNHEALTHY) == (tail >= retries)
    assert (verdict is ServiceHealth.HEALTHY) == (tail < retries and any(results))


@pytest.fixture
def run() -> Iterator[Run]:
    guardian = Guardian()
    yield lambda *test: asyncio.run(Probe(Healthcheck(test), {"PATH": ""}, PROJECT, guardian).run())
    guardian.close()


def ask(port: int) -> tuple[str, ...]:
    return ("python", "-IS", "qiki/runtime/probe.py", f"http://127.0.0.1:{port}/readyz")


def test_ready_is_told_from_waiting(run: Run):
    health = Health("example")
    health.met("main")
    with HealthServer(health, "127.0.0.1", 0) as server:
        assert run(*ask(server.port)) == (True, '{"status": "ok", "service": "example"}')
        health.wait_for("nats", "connection lost")
        passed, words = run(*ask(server.port))
        assert not passed
        assert '"waiting_for": {"nats": "connection lost"}' in words


def test_a_service_that_starts_answers_when_it_is_ready(monkeypatch: pytest.MonkeyPatch):
    """A second probe would come after the test's end."""
    monkeypatch.setattr("qiki.runtime.health_server.WAIT_S", 600.0)
    monkeypatch.setattr(ours, "ANSWER_S", 600.0)
    health = Health("example")
    health.wait_for("main", "starting")

    async def watched(port: int) -> ServiceHealth:
        check = Healthcheck(ask(port), interval_s=600.0, start_period_s=600.0, start_interval_s=600.0)
        verdicts: asyncio.Queue[ServiceHealth] = asyncio.Queue()
        probe = Probe(check, {}, PROJECT, guardian)
        watch = asyncio.create_task(watch_health(check, probe, lambda verdict, _: verdicts.put_nowait(verdict)))
        await until_async("the probe to wait for its answer", lambda: asyncio.to_thread(lambda: health._waiting))
        health.met("main")
        try:
            return await verdicts.get()
        finally:
            watch.cancel()

    guardian = Guardian()
    with HealthServer(health, "127.0.0.1", 0) as server:
        assert asyncio.run(watched(server.port)) is ServiceHealth.HEALTHY
    guardian.close()


def test_nobody_listens_and_nobody_answers(run: Run, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ours, "ANSWER_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        assert run(*ask(port)) == (False, f"http://127.0.0.1:{port}/readyz: no answer within 0.2 s")
    passed, words = run(*ask(port))
    assert not passed
    assert words.startswith(f"http://127.0.0.1:{port}/readyz: ")


def test_any_other_test_is_run(run: Run):
    assert run("python", "-IS", "other/probe.py", "http://127.0.0.1:1/") == (False, "python: No such file or directory")
