"""Who drives the agent through time: the wall clock, live, or the conductor, in lockstep."""

import asyncio
from collections.abc import Awaitable, Callable

from q_core_agent.metrics import LATE


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
