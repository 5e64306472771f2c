"""Who drives the agent through time: the wall clock, live, or the conductor, in lockstep."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from q_core_agent.metrics import LATE


async def to_its_end(work: Coroutine[Any, Any, None], finish_s: float) -> None:
    """Do something whole: told to end in the middle of it, end after it, or after `finish_s` if that is sooner."""
    task = asyncio.create_task(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task], timeout=finish_s)
        if task.done() and not task.cancelled():
            task.result()
        raise
    finally:
        task.cancel()


async def by_the_clock(tick: Callable[[], Awaitable[None]], period_s: float) -> None:
    """Tick every `period_s`, for ever; what comes late is not made up for."""
    clock = asyncio.get_running_loop().time
    due_s = clock()
    while True:
        await tick()
        due_s += period_s
        if (late_s := clock() - due_s) > 0:
            LATE.inc()
            due_s += late_s
        await asyncio.sleep(due_s - clock())
