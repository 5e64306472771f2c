"""Pacing: the number of ticks due by the wall clock at the current speed."""

import math
from collections.abc import Callable

from qiki.world.ticks import TICK_S


class Pacer:
    """Counts ticks against a clock, from the time at which the speed was set.

    Ticks that are late stay due, so that the simulation catches up. A new speed starts a new count.

    Args:
        clock: monotonic seconds
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._speed = 0.0
        self._anchor_s = 0.0
        self._done = 0

    def begin(self, speed: float) -> None:
        """Start a count at `speed` simulated seconds a second; at 0 no tick is due."""
        self._speed = speed
        self._anchor_s = self._clock()
        self._done = 0

    @property
    def due(self) -> int:
        """Number of ticks due."""
        return math.floor((self._clock() - self._anchor_s) * self._speed / TICK_S) - self._done

    @property
    def behind_s(self) -> float:
        """Simulated time due, in whole ticks, without the next tick."""
        return max(0, self.due - 1) * TICK_S

    @property
    def wait_s(self) -> float | None:
        """Wall time until the next tick is due; None at speed 0."""
        if self._speed <= 0:
            return None
        return max(0.0, self._anchor_s + (self._done + 1) * TICK_S / self._speed - self._clock())

    def count(self) -> None:
        """Count a tick."""
        self._done += 1
