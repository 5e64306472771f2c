"""Each engine has a thread and a budget; nothing that one does disturbs the agent or another engine."""

import asyncio
import itertools
import threading

import pytest

from q_core_agent.engine_pool import ThreadedEngines
from qiki.agent.engine import FaultKind
from qiki.agent.engine_call import MAX_PROPOSALS, MAX_TEXT
from qiki.agent.proposals import Proposal
from qiki.contracts.agent import EngineState

LONG_S = 30.0
SHORT_S = 0.02
IDEA = Proposal((), "an idea")


class Engine:
    """Returns or calls the n-th of its answers; the last one for ever."""

    def __init__(self, *answers):
        self._answers = iter(answers)
        self.asked = 0
        self.threads = set()

    def propose(self, world):  # noqa: ARG002
        self.asked += 1
        self.threads.add(threading.get_ident())
        self._now = next(self._answers, getattr(self, "_now", ()))
        return self._now() if callable(self._now) else self._now


class Hanging(Engine):
    """Does not come back until it is let go."""

    def __init__(self):
        super().__init__(self._hang)
        self.go = threading.Event()
        self.left = threading.Event()

    def _hang(self):
        self.go.wait(LONG_S)
        self.left.set()
        return (IDEA,)


def fail(text="out of\n  ideas"):
    raise ValueError(text)


def leave():
    raise SystemExit(3)


def lazy():
    yield IDEA
    raise KeyError("second")


def asked(engines, world, budget_s=LONG_S, patient=False, times=1):
    """The results of the last of so many ticks."""

    async def ask():
        pool = ThreadedEngines(engines, budget_s, patient=patient)
        return [await pool.propose(world) for _ in range(times)][-1]

    return asyncio.run(ask())


def test_engines_answer_in_their_order_each_in_a_thread_of_its_own(world):
    one, other = Engine((IDEA,)), Engine((), (IDEA, IDEA))
    results = asked({"one": one, "other": other}, world, times=3)
    assert [(one.name, len(one.proposals), one.fault) for one in results] == [("one", 1, None), ("other", 2, None)]
    assert one.asked == other.asked == 3
    assert len(one.threads) == len(other.threads) == 1
    assert len(one.threads | other.threads | {threading.get_ident()}) == 3


def test_no_engines_no_results(world):
    assert asked({}, world) == ()


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (fail, "ValueError: out of ideas"),
        (leave, "SystemExit: 3"),
        (lazy, "KeyError: 'second'"),
        (5, "TypeError: 'int' object is not iterable"),
        (("push",), "gave of type str (expected a Proposal)"),
        ((Proposal((), "why", priority=10**5000),), "priority is of type int (expected a finite number)"),
        (lambda: fail("half \ud800\x00"), "ValueError: half \\ud800\\x00"),
        (lambda: fail("x" * 10**6), "ValueError: " + "x" * (MAX_TEXT - 12)),
    ],
    ids=["raises", "exits", "raises-late", "no-iterable", "no-proposal", "no-number", "not-utf-8", "endless-text"],
)
def test_an_engine_that_fails_has_a_fault_of_one_line_and_no_other_suffers(answer, text, world):
    failed, well = asked({"bad": Engine(answer), "good": Engine((IDEA,))}, world, times=2)
    assert (failed.fault.kind, failed.fault.text, failed.proposals) == (FaultKind.FAILED, text, ())
    assert (well.fault, well.proposals) == (None, (IDEA,))
    assert EngineState(proposals=0, duration_s=0.0, fault=failed.fault.text).to_json()


def test_one_that_failed_may_be_well_again(world):
    assert asked({"moody": Engine(fail, (IDEA,))}, world, times=2)[0].fault is None


def test_proposals_without_end_are_cut_off_where_they_are_too_many(world):
    (result,) = asked({"chatty": Engine(lambda: itertools.repeat(IDEA))}, world)
    assert (result.fault.text, result.proposals) == (f"gave more than {MAX_PROPOSALS} proposals", ())


def test_one_that_hangs_is_an_overrun_is_not_asked_again_and_its_late_proposals_do_not_count(world):
    hanging = Hanging()

    async def ticks():
        pool = ThreadedEngines({"slow": hanging, "quick": Engine((IDEA,))}, SHORT_S, patient=False)
        out = [await pool.propose(world) for _ in range(3)]
        asked_while_out = hanging.asked
        hanging.go.set()
        await asyncio.to_thread(hanging.left.wait)
        slow, _ = await pool.propose(world)
        while slow.fault is not None:  # its thread may need a moment more
            slow, _ = await pool.propose(world)
        return out, asked_while_out

    out, asked_while_out = asyncio.run(ticks())
    for slow, quick in out:
        assert (slow.fault.kind, slow.proposals) == (FaultKind.OVERRUN, ())
        assert slow.duration_s >= SHORT_S
        assert quick.fault is None or quick.fault.kind is FaultKind.OVERRUN  # a machine at work may be slow itself
    assert asked_while_out == 1
    assert hanging.asked >= 2


def test_in_lockstep_a_slow_engine_is_waited_for(world):
    hanging = Hanging()

    async def tick():
        results = asyncio.create_task(ThreadedEngines({"slow": hanging}, SHORT_S, patient=True).propose(world))
        done, _ = await asyncio.wait([results], timeout=3 * SHORT_S)
        assert not done
        hanging.go.set()
        return await results

    (result,) = asyncio.run(tick())
    assert (result.fault, result.proposals) == (None, (IDEA,))
    assert result.duration_s > SHORT_S


def test_a_hanging_engine_holds_up_no_exit():
    pool = ThreadedEngines({"slow": Hanging()}, SHORT_S, patient=False)
    assert all(worker._thread.daemon for worker in pool._workers)
