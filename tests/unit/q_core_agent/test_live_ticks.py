"""Ticks by the wall clock."""

import asyncio
import time

import pytest

from q_core_agent.app import by_the_clock, to_its_end
from q_core_agent.metrics import LATE
from qiki_harness.testing import until

PERIOD_S = 0.01


def ticked(times, work):
    """Lets the clock tick so many times."""

    async def run():
        count = 0
        enough = asyncio.Event()

        async def tick():
            nonlocal count
            work(count)
            count += 1
            if count == times:
                enough.set()

        clock = asyncio.create_task(by_the_clock(tick, PERIOD_S))
        await enough.wait()
        clock.cancel()
        return count

    return asyncio.run(run())


def test_it_ticks_no_faster_than_asked():
    begin_s = time.monotonic()
    assert ticked(4, lambda _: None) == 4
    assert time.monotonic() - begin_s >= 3 * PERIOD_S


def test_a_late_tick_is_counted_and_delays_the_next():
    before = LATE._value.get()
    began = []

    def work(count):
        began.append(time.monotonic())
        if count == 0:
            until("five periods have passed", lambda: time.monotonic() >= began[0] + 5 * PERIOD_S)

    ticked(3, work)
    assert LATE._value.get() >= before + 1
    assert began[2] - began[0] >= 5.9 * PERIOD_S


LONG_S = 30.0


def cancelled_tick(finish_s, *, ends):
    """Return the steps of a tick that is cancelled in its middle, and whether its caller ended."""

    async def run():
        done = []
        go = asyncio.Event()

        async def tick():
            done.append("sent")
            await go.wait()
            done.append("finished")

        caller = asyncio.create_task(to_its_end(tick(), finish_s))
        while not done:
            await asyncio.sleep(0)
        caller.cancel()
        await asyncio.sleep(0)
        if ends:
            go.set()
        await asyncio.wait([caller], timeout=LONG_S)
        return done, caller.cancelled()

    return asyncio.run(run())


def test_a_cancelled_tick_finishes_first():
    assert cancelled_tick(LONG_S, ends=True) == (["sent", "finished"], True)


def test_a_tick_that_does_not_end_is_cut_off():
    assert cancelled_tick(PERIOD_S, ends=False) == (["sent"], True)


@pytest.mark.parametrize("stopped", [False, True])
def test_a_bug_in_a_tick_is_not_lost(stopped):
    async def run():
        go = asyncio.Event()

        async def tick():
            await go.wait()
            raise IndexError("a bug of ours")

        caller = asyncio.create_task(to_its_end(tick(), LONG_S))
        await asyncio.sleep(0)
        if stopped:
            caller.cancel()
            await asyncio.sleep(0)
        go.set()
        with pytest.raises(IndexError):
            await caller

    asyncio.run(run())
