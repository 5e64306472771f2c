"""The agent's state after ticks, and its events as log lines."""

import asyncio
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from structlog.testing import capture_logs

from q_core_agent.metrics import STATE
from q_core_agent.outputs import States, emit_and_log
from qiki.contracts import topics
from qiki.contracts.enums import FSMState
from qiki.contracts.events import AGENT_BOOTED, SAFE_MODE_ENTERED, SystemMode
from qiki.runtime.events import Events

MOMENT = datetime(2025, 9, 1, tzinfo=UTC)


@pytest.mark.parametrize(("kind", "level"), [(SAFE_MODE_ENTERED, "warning"), (AGENT_BOOTED, "info")])
def test_a_mode_is_emitted_and_logged(kind, level):
    events = Events("q-core-agent")
    body = SystemMode(
        ts_epoch=1.0, run_id="r", mode="SAFE_MODE", previous="NORMAL", state=FSMState.ERROR_STATE, trigger="BIOS_LOST",
        reasons=("BIOS_LOST: nobody",), rests_on=(),
    )  # fmt: skip

    with capture_logs() as said:
        emit_and_log(events, kind, body, "an id", MOMENT)

    assert len(events) == 1
    assert said == [
        {
            "event": kind.name,
            "log_level": level,
            "mode": "SAFE_MODE",
            "trigger": "BIOS_LOST",
            "reasons": ["BIOS_LOST: nobody"],
        }
    ]


class Client:
    """Keeps what is published."""

    def __init__(self):
        self.is_connected = True
        self.sent = []

    async def publish(self, subject, body):
        self.sent.append((subject, body))


@pytest.fixture
def client():
    return Client()


@pytest.fixture
def agent():
    state = SimpleNamespace(to_json=lambda: b"{}")
    return SimpleNamespace(fsm_state=FSMState.BOOTING, waits_for=("tracks",), state=lambda _: state)


@pytest.fixture
def states(agent, client):
    return States(agent, SimpleNamespace(telemetry=None), client)


def after_ticks(states, *changes):
    async def run():
        for change in changes:
            change()
            await states.changed()

    asyncio.run(run())


def test_only_a_transition_is_published_at_once(states, agent, client):
    after_ticks(states, lambda: None, lambda: None, lambda: setattr(agent, "fsm_state", FSMState.IDLE), lambda: None)
    assert client.sent == [(topics.AGENT_STATE.subject, b"{}")] * 2
    assert STATE._value.get() == FSMState.IDLE


def test_without_a_connection_only_the_metric_changes(states, client):
    client.is_connected = False
    after_ticks(states, lambda: None)
    assert client.sent == []
    assert STATE._value.get() == FSMState.BOOTING


def test_the_inputs_that_a_boot_lacks_are_logged_when_they_change(states, agent):
    with capture_logs() as lines:
        after_ticks(states, lambda: None, lambda: None, lambda: setattr(agent, "waits_for", ()))
    assert [line["waits_for"] for line in lines if line["event"] == "boot"] == [("tracks",), ()]
