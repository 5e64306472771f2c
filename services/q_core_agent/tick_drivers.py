"""The live tick driver, by the wall clock; lockstep has its conductor."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from q_core_agent.metrics import LATE


async def to_its_end(work: Coroutine[Any, Any, None], finish_s: float) -> None:
    """Await work; when cancelled in the middle, let it finish within `finish_s` first."""
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
    """Tick every `period_s`, for ever; a late tick delays those after it."""
    clock = asyncio.get_running_loop().time
    due_s = clock()
    while True:
        await tick()
        due_s += period_s
        if (late_s := clock() - due_s) > 0:
            LATE.inc()
            due_s += late_s
        await asyncio.sleep(due_s - clock())
