"""Single services, forked by the warm server of a test session."""

import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from qiki_harness.forks import warm
from qiki_harness.testing import Broker, ServiceProcess, until


@pytest.fixture
def warmth(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A warm server of the test's own."""
    monkeypatch.setattr(warm, "_wanted", warm._Wanted())
    with warm.warm_starts():
        yield


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    with Broker(tmp_path / "nats") as running:
        yield running


@pytest.fixture
def simulator(tmp_path: Path, broker: Broker) -> Iterator[ServiceProcess]:
    settings = {"QSIM_LISTEN": "127.0.0.1:0", "QIKI_HTTP_PORT": 0, "QIKI_STATE_DIR": tmp_path / "state"}
    with ServiceProcess("q_sim_service", tmp_path / "log", NATS_URL=broker.url, **settings) as service:
        yield service


def shown(service: ServiceProcess) -> psutil.Process:
    assert service._process is not None
    return psutil.Process(service._process.pid)


def test_a_service_is_forked_runs_and_ends_as_one_that_is_executed(warmth: None, simulator: ServiceProcess):
    process = shown(simulator.ready())
    assert process.name() == "q_sim_service"
    assert process.cmdline() == ["python", "-m", "q_sim_service"]

    assert simulator.terminate() == 0

    simulator.start()
    simulator.ready().signal(signal.SIGKILL)
    assert simulator.wait() == -signal.SIGKILL


def test_it_ends_with_its_warm_server(warmth: None, simulator: ServiceProcess):
    process = shown(simulator.ready())
    process.parent().kill()

    until("the service to end", lambda: not process.is_running())
    assert simulator.wait() == -signal.SIGKILL


def test_a_module_that_is_no_service_is_executed_and_harms_no_other(
    warmth: None, simulator: ServiceProcess, tmp_path: Path
):
    first = shown(simulator.ready())
    with ServiceProcess("this", tmp_path / "this.log") as other:
        assert other.wait() == 0
        assert "Beautiful is better than ugly." in other.words()

    assert first.is_running()
    assert simulator.terminate() == 0
    simulator.start()
    assert shown(simulator.ready()).name() == "q_sim_service"
