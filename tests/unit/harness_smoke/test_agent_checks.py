"""What the agent's states must be for its checks to pass."""

import asyncio
from datetime import UTC, datetime
from uuid import UUID

import pytest

from qiki.contracts import topics
from qiki.contracts.agent import AgentState, FsmSnapshot
from qiki.contracts.enums import FSMState
from qiki_harness.smoke.check import CheckFailedError
from qiki_harness.smoke.checks.agent import later
from qiki_harness.smoke.checks.guard import calm
from qiki_harness.smoke.inbox import Inbox

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def state(message):
    def make(tick, life=1, fsm=FSMState.IDLE, causes=()):
        snapshot = FsmSnapshot(
            snapshot_id=UUID(int=9), timestamp=NOON, current_state=fsm, history=(), fsm_instance_id=UUID(int=life),
            attempt_count=1,
        )  # fmt: skip
        said = AgentState(
            timestamp=NOON, conduct="live", tick=tick, run_id="", fsm=snapshot, causes=causes, good_checks=0,
            inputs={}, bios_ok=True, engines={}, tracks=0, alerts=0,
        )  # fmt: skip
        return message(topics.AGENT_STATE.subject, said)

    return make


def test_an_agent_that_ticks_shows_it_in_two_states(state):
    first, last = later([state(7), state(7), state(12)])
    assert (first.tick, last.tick) == (7, 12)


def test_one_state_says_nothing_nor_the_same_tick_again_nor_another_life(state):
    assert later([]) is None
    assert later([state(7)]) is None
    assert later([state(7), state(7)]) is None
    assert later([state(7), state(12, life=2)]) is None
    assert later([state(90), state(1, life=2), state(2, life=2)])[0].tick == 1


@pytest.mark.parametrize("fsm", [FSMState.IDLE, FSMState.ACTIVE])
def test_an_agent_in_its_normal_mode_is_calm(state, fsm):
    inbox = Inbox()
    inbox.take(state(1, fsm=FSMState.ERROR_STATE))
    inbox.take(state(2, fsm=fsm))
    asyncio.run(calm(inbox, 0.0))


def test_one_that_stays_in_safe_mode_is_not_and_its_reasons_are_told(state):
    inbox = Inbox()
    with pytest.raises(CheckFailedError, match=r"normal mode for 0 s: silent$"):
        asyncio.run(calm(inbox, 0.0))
    inbox.take(state(1))
    inbox.take(state(2, fsm=FSMState.ERROR_STATE, causes=("BIOS_LOST: no answer", "INPUT_STALE: tracks")))
    with pytest.raises(CheckFailedError, match=r"ERROR_STATE: BIOS_LOST: no answer; INPUT_STALE: tracks$"):
        asyncio.run(calm(inbox, 0.0))
