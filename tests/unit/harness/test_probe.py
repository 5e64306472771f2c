"""The services' own probe, asked without a process: where the PATH is empty, none could be started."""

import asyncio
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from qiki.runtime import probe as ours
from qiki.runtime.health import Health, HealthServer
from qiki_harness.compose import Healthcheck
from qiki_harness.stack.guardian import Guardian
from qiki_harness.stack.health import probe

PROJECT = Path(__file__).parents[3]
Run = Callable[..., tuple[bool, str]]


@pytest.fixture
def run() -> Iterator[Run]:
    guardian = Guardian()
    yield lambda *test: asyncio.run(probe(Healthcheck(test), {"PATH": ""}, PROJECT, guardian))
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
