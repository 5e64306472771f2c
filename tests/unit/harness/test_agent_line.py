"""What `qiki watch` says of the agent."""

import asyncio
from datetime import UTC, datetime
from uuid import UUID

import pytest
from nats.aio.msg import Msg

from qiki.contracts.agent import AgentState, FsmSnapshot
from qiki.contracts.enums import FSMState
from qiki_harness.cli.feed import Feed
from qiki_harness.cli.screen import agent_line

EPOCH = datetime(2025, 9, 1, tzinfo=UTC)


def told(state, causes=()):
    feed = Feed("nats://127.0.0.1:1")
    snapshot = FsmSnapshot(
        snapshot_id=UUID(int=1),
        timestamp=EPOCH,
        current_state=state,
        history=(),
        fsm_instance_id=UUID(int=2),
        attempt_count=1,
    )
    said = AgentState(
        timestamp=EPOCH, conduct="live", tick=7, run_id="r", fsm=snapshot, causes=causes, good_checks=0, inputs={},
        bios_ok=True, engines={}, tracks=0, alerts=0,
    )  # fmt: skip
    asyncio.run(feed.take_agent(Msg(None, data=said.to_json())))
    return feed


@pytest.mark.parametrize(
    ("state", "causes", "line"),
    [
        (FSMState.IDLE, (), "agent: IDLE"),
        (
            FSMState.ERROR_STATE,
            ("BIOS_LOST: nobody", "INPUT_STALE: it"),
            "agent: SAFE_MODE BIOS_LOST: nobody; INPUT_STALE: it",
        ),
    ],
)
def test_it_names_the_state_and_the_causes(state, causes, line):
    assert agent_line(told(state, causes)) == line


def test_an_agent_that_was_never_heard_or_says_rubbish_is_silent():
    feed = Feed("nats://127.0.0.1:1")
    assert agent_line(feed) == "agent: silent"
    asyncio.run(feed.take_agent(Msg(None, data=b"{}")))
    assert agent_line(feed) == "agent: silent"


def test_an_agent_that_has_stopped_talking_is_silent(monkeypatch):
    feed = told(FSMState.IDLE)
    later_s = feed._agent_at_s + 5.1
    monkeypatch.setattr("qiki_harness.cli.feed.time.monotonic", lambda: later_s)
    assert agent_line(feed) == "agent: silent"
