"""Frames between the simulator and NATS: bounded, in order, and honest about what is missing and why."""

import asyncio
from collections import deque
from dataclasses import dataclass, replace

from q_sim_radar.messages import Measured

REFUSED = "the simulator's frame breaks the contract: the log of this service says how"
OVERFLOW = "NATS was away for longer than RADAR_BACKLOG_FRAMES frames last"
AWAY = "this service was away for longer than the simulator keeps its frames"
LATE = "this service came to the run when the simulator no longer kept its first frames"


@dataclass(frozen=True)
class Gap:
    """Frames of one run that are lost, both numbers included, and why."""

    run: str
    first_frame: int
    last_frame: int
    reason: str


@dataclass(frozen=True)
class Waiting:
    """A frame that waits, and what was received before it and lost."""

    measured: Measured
    lost: list[Gap]


class Backlog:
    """A queue that drops its oldest frame rather than grow beyond `limit`."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._frames: deque[Waiting] = deque()
        self._lost: list[Gap] = []
        self._changed = asyncio.Event()
        self._closed = False

    def __len__(self) -> int:
        return len(self._frames)

    def put(self, measured: Measured) -> None:
        """Append; the oldest goes when it is full, which the next one tells."""
        self._frames.append(Waiting(measured, self._lost))
        self._lost = []
        if len(self._frames) > self._limit:
            oldest = self._frames.popleft()
            origin = oldest.measured.origin
            lost = [*oldest.lost, Gap(origin.run, origin.frame, origin.frame, OVERFLOW), *self._frames[0].lost]
            self._frames[0] = replace(self._frames[0], lost=joined(lost))
        self._changed.set()

    def refuse(self, run: str, frame: int) -> None:
        """This frame came, and cannot be published; the next one tells."""
        self._lost = joined([*self._lost, Gap(run, frame, frame, REFUSED)])

    def close(self) -> None:
        """No more frames will come."""
        self._closed = True
        self._changed.set()

    async def take(self) -> Waiting | None:
        """The oldest frame; waits for one; None once closed and empty."""
        while not self._frames:
            if self._closed:
                return None
            self._changed.clear()
            await self._changed.wait()
        return self._frames.popleft()


def joined(gaps: list[Gap]) -> list[Gap]:
    """The same, neighbours with one reason as one."""
    result: list[Gap] = []
    for gap in gaps:
        before = result[-1] if result else None
        if before and (before.run, before.last_frame + 1, before.reason) == (gap.run, gap.first_frame, gap.reason):
            result[-1] = replace(before, last_frame=gap.last_frame)
        else:
            result.append(gap)
    return result


def gaps_before(waiting: Waiting, last: tuple[str, int] | None) -> list[Gap]:
    """What is missing between the last frame handled, `(run, number)`, and this one, in order."""
    gaps: list[Gap] = []
    for lost in waiting.lost:
        gaps += [*_not_received(lost.run, lost.first_frame, last), lost]
        last = (lost.run, lost.last_frame)
    origin = waiting.measured.origin
    return gaps + _not_received(origin.run, origin.frame, last)


def _not_received(run: str, number: int, last: tuple[str, int] | None) -> list[Gap]:
    """What never came between a frame and the next one that did."""
    goes_on = last is not None and last[0] == run
    expected = last[1] + 1 if last is not None and goes_on else 0
    return [] if number <= expected else [Gap(run, expected, number - 1, AWAY if goes_on else LATE)]
