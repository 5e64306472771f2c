"""Engines in the caller's thread, and the agent's coroutines without an event loop."""

import asyncio

import pytest

from qiki.agent.engine import EngineResult, FaultKind
from qiki.agent.proposals import Proposal
from qiki.agent.world import World
from qiki.flight.agent_driver import InlineEngines, run_to_end

IDEA = Proposal((), "an idea")
WORLD = World(tick=1)


class Eager:
    def propose(self, world):
        assert world is WORLD
        return iter((IDEA, IDEA))


class Faulty:
    def propose(self, world):  # noqa: ARG002
        raise KeyError("x")


def test_engines_are_asked_in_turn_and_take_no_time():
    pool = InlineEngines({"one": Eager(), "other": Faulty()})
    one, other = run_to_end(pool.propose(WORLD))
    assert one == EngineResult("one", (IDEA, IDEA))
    assert (other.name, other.proposals, other.duration_s) == ("other", (), 0.0)
    assert (other.fault.kind, other.fault.text) == (FaultKind.FAILED, "KeyError: 'x'")


def test_a_coroutine_that_suspends_is_closed_and_named():
    closed = []

    async def waits() -> None:
        try:
            await asyncio.sleep(0)
        finally:
            closed.append(True)

    with pytest.raises(RuntimeError, match=r"waits.* suspended: it needs an event loop"):
        run_to_end(waits())
    assert closed == [True]


def test_the_result_or_error_of_a_coroutine_is_passed_on():
    async def answer(error: Exception | None) -> int:
        if error:
            raise error
        return 42

    assert run_to_end(answer(None)) == 42
    with pytest.raises(KeyError):
        run_to_end(answer(KeyError("x")))
