"""The engine's health checks: a stuck service and a lost broker show within 5 s, by the engine's own clock."""

import signal
from datetime import datetime

import pytest

from qiki_harness.containers import Containers

WITHIN_S = 5.0
DEADLINE_S = 30.0
SERVICES = ("nats", "q-sim-service", "q-sim-radar", "faststream-bridge", "registrar", "operator-console", "qiki-dev")
READERS = tuple(service for service in SERVICES if service != "nats")


def unhealthy_at(containers, service):
    """When the first probe failed that the engine counts; the last of the log, as it is at most five probes long."""
    health = containers.of_service(service).attrs["State"]["Health"]
    return moment(health["Log"][-1]["End"]) if health["Status"] == "unhealthy" else None


def moment(text):
    return datetime.fromisoformat(f"{text[:26].rstrip('Z')}+00:00").timestamp()


def agent(containers):
    return int(containers.execute("qiki-dev", "pgrep", "-of", "^python -m q_core_agent")[1])


def stop_and_go(containers, service, number):
    """The workspace's own process is the keeper, which stays; what is stuck there is the agent."""
    if service == "qiki-dev":
        name = signal.Signals(number).name.removeprefix("SIG")
        assert containers.execute("qiki-dev", "kill", f"-{name}", str(agent(containers)))[0] == 0
    else:
        containers.signal(service, number)


@pytest.mark.parametrize("service", SERVICES)
def test_what_is_stuck_shows(containers, service, clock):
    began = clock()
    stop_and_go(containers, service, signal.SIGSTOP)
    try:
        at = containers.until(f"{service} to be unhealthy", lambda: unhealthy_at(containers, service), DEADLINE_S)
    finally:
        stop_and_go(containers, service, signal.SIGCONT)
    assert at - began < WITHIN_S
    containers.wait_ready()


@pytest.mark.parametrize("loss", [Containers.stopped, Containers.paused, Containers.cut_off])
def test_a_lost_broker_shows_at_all_its_clients(containers, clock, loss):
    with loss(containers, "nats"):
        began = clock()
        at = {
            service: containers.until(
                f"{service} to be unhealthy", lambda s=service: unhealthy_at(containers, s), DEADLINE_S
            )
            for service in READERS
        }
    assert {service: moment - began < WITHIN_S for service, moment in at.items()} == dict.fromkeys(READERS, True)
    containers.wait_ready()


def test_a_health_check_is_on_every_container_that_goes_on(containers):
    unchecked = [name for name, status in containers.statuses().items() if not status.checked]
    assert sorted(unchecked) == ["keys", "nats-js-init"]


@pytest.fixture
def clock(containers):
    """The engine's clock, which is this machine's or not."""
    ahead = moment(containers.engine.info()["SystemTime"]) - datetime.now().timestamp()  # noqa: DTZ005
    return lambda: datetime.now().timestamp() + ahead  # noqa: DTZ005
