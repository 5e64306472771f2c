"""Waiting on a named condition, with a deadline."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from qiki_harness.errors import DeadlineError

T = TypeVar("T")
POLL_S = 0.01


def until(what: str, condition: Callable[[], T | None], deadline_s: float = 60.0, poll_s: float = POLL_S) -> T:
    """Wait for a truthy value of `condition` and return it; DeadlineError if there is none in time."""
    end_s = time.monotonic() + deadline_s
    while not (value := condition()):
        if time.monotonic() > end_s:
            raise DeadlineError(f"waited {deadline_s:g} s for {what}; last: {value!r}")
        time.sleep(poll_s)
    return value


async def until_async(what: str, condition: Callable[[], Awaitable[T | None]], deadline_s: float = 60.0) -> T:
    """Wait as `until` does, in an event loop."""
    end_s = time.monotonic() + deadline_s
    while not (value := await condition()):
        if time.monotonic() > end_s:
            raise DeadlineError(f"waited {deadline_s:g} s for {what}; last: {value!r}")
        await asyncio.sleep(POLL_S)
    return value
