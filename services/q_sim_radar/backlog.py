"""Frames between the simulator and NATS: bounded, in order, and honest about what did not fit."""

import asyncio
from collections import deque
from dataclasses import dataclass

from q_sim_radar.messages import Measured


@dataclass(frozen=True)
class Gap:
    """Frames of one run that are lost: both numbers included."""

    run: str
    first_frame: int
    last_frame: int


class Backlog:
    """A queue that drops its oldest frame rather than grow beyond `limit`."""

    def __init__(self, limit: int) -> None:
        self._frames: deque[Measured] = deque(maxlen=limit)
        self._changed = asyncio.Event()
        self._closed = False

    def __len__(self) -> int:
        return len(self._frames)

    def put(self, measured: Measured) -> None:
        """Append; the oldest goes when it is full, which `gap_before` of the next one shows."""
        self._frames.append(measured)
        self._changed.set()

    def close(self) -> None:
        """No more frames will come."""
        self._closed = True
        self._changed.set()

    async def take(self) -> Measured | None:
        """The oldest frame; waits for one; None once closed and empty."""
        while not self._frames:
            if self._closed:
                return None
            self._changed.clear()
            await self._changed.wait()
        return self._frames.popleft()


def gap_before(measured: Measured, last: tuple[str, int] | None) -> Gap | None:
    """What is missing between the last frame handled, `(run, number)`, and this one."""
    run, number = measured.origin.run, measured.origin.frame
    expected = last[1] + 1 if last is not None and last[0] == run else 0
    if number <= expected:
        return None
    return Gap(run, expected, number - 1)
