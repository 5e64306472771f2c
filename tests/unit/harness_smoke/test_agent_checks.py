"""What the agent's states must be for its checks to pass."""

import pytest

from qiki.contracts.enums import FSMState
from qiki_harness.smoke.check import CheckFailedError
from qiki_harness.smoke.checks.agent import calm, later


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
def test_an_agent_in_its_normal_mode_is_calm(watcher, take, state, fsm):
    take(state(1, fsm=FSMState.ERROR_STATE), state(2, fsm=fsm))
    calm(watcher, 0.0)


def test_one_that_stays_in_safe_mode_is_not_and_its_reasons_are_named(watcher, take, state):
    with pytest.raises(CheckFailedError, match=r"normal mode for 0 s: silent$"):
        calm(watcher, 0.0)
    take(state(1), state(2, fsm=FSMState.ERROR_STATE, causes=("BIOS_LOST: no answer", "INPUT_STALE: tracks")))
    with pytest.raises(CheckFailedError, match=r"ERROR_STATE: BIOS_LOST: no answer; INPUT_STALE: tracks$"):
        calm(watcher, 0.0)
