"""Services report their health on the bus: at each change, and from time to time."""

import pytest

from qiki.contracts import topics
from qiki.runtime.health_reports import EVERY_S
from qiki_harness.twin import Twin

REPORTING = ("q-sim-service", "q-sim-radar", "faststream-bridge", "registrar", "operator-console", "q-core-agent")


@pytest.fixture
def stack(own_twin) -> Twin:
    return own_twin("crossing")


def test_each_service_reports_and_goes_on_to(stack: Twin):
    for service in REPORTING:
        first = stack.await_message(topics.HEALTH, service=service, ready=True)
        again = stack.await_message(topics.HEALTH, after=stack.now(), service=service, deadline_s=4 * EVERY_S)
        assert first.subject == f"qiki.health.v1.{service.replace('q-core-agent', 'qiki-dev')}"
        assert again.sequence > first.sequence  # it is kept


def test_a_change_is_told_at_once_with_its_reason(stack: Twin):
    stack.await_message(topics.HEALTH, service="q-sim-radar", ready=True)
    before = stack.now()
    stack.stack.stop_service("q-sim-service")
    waits = stack.await_message(topics.HEALTH, after=before, service="q-sim-radar", ready=False)
    assert waits.data.status == "waiting"
    assert list(waits.data.waiting_for) == ["simulator"]
    moment = stack.now()
    stack.stack.start_service("q-sim-service")
    stack.await_message(topics.HEALTH, after=moment, service="q-sim-radar", ready=True)
