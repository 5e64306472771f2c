"""Asking an engine in the caller's thread, and running the agent's coroutines without an event loop."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from qiki.agent.engines.asking import InlineEngines, ask_engine
from qiki.agent.engines.results import EngineFault, EngineResult, FaultKind
from qiki.agent.proposals import Proposal
from qiki.agent.synchronous import run_to_end
from qiki.agent.world import World

IDEA = Proposal((), "an idea")
WORLD = World(tick=1)


class Engine:
    def __init__(self, answer: Callable[[], Any]) -> None:
        self._answer = answer

    def propose(self, world: World) -> Any:
        assert world is WORLD
        return self._answer()


def raising(error: BaseException) -> Engine:
    def answer() -> None:
        raise error

    return Engine(answer)


def test_engines_are_asked_in_turn_and_take_no_time():
    pool = InlineEngines({"one": Engine(lambda: iter((IDEA, IDEA))), "other": raising(KeyError("x"))})
    one, other = run_to_end(pool.propose(WORLD))
    assert one == EngineResult("one", (IDEA, IDEA))
    assert (other.name, other.proposals, other.duration_s) == ("other", (), 0.0)
    assert (other.fault.kind, other.fault.text) == (FaultKind.FAILED, "KeyError: 'x'")


def test_a_fault_has_the_traceback_of_what_the_engine_raised():
    fault = ask_engine("bad", raising(ValueError("no idea")), WORLD).fault
    assert fault is not None
    assert "in answer" in fault.trace
    malformed = EngineFault(FaultKind.FAILED, "gave 1 (expected a Proposal)")
    assert ask_engine("bad", Engine(lambda: (1,)), WORLD).fault == malformed


def test_an_engine_cannot_end_the_process_but_its_user_can():
    assert ask_engine("bad", raising(SystemExit(3)), WORLD).fault is not None
    with pytest.raises(KeyboardInterrupt):
        ask_engine("bad", raising(KeyboardInterrupt()), WORLD)
    assert ask_engine("bad", raising(KeyboardInterrupt()), WORLD, caught=(BaseException,)).fault is not None


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


def test_what_a_coroutine_returns_or_raises_is_passed_on():
    async def answer(error: Exception | None) -> int:
        if error:
            raise error
        return 42

    assert run_to_end(answer(None)) == 42
    with pytest.raises(KeyError):
        run_to_end(answer(KeyError("x")))
