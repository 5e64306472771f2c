"""Pacing: how many ticks the wall clock asks for at the speed that was set."""

import math
from collections.abc import Callable

from qiki.world.ticks import TICK_S


class Pacer:
    """Counts ticks against a clock, from the moment that the speed was set.

    What could not be done in time stays owed, so that the simulation catches up; a new speed begins a new count.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._speed = 0.0
        self._anchor_s = 0.0
        self._done = 0

    def begin(self, speed: float) -> None:
        """From now on `speed` simulated seconds a second; 0 asks for no tick."""
        self._speed = speed
        self._anchor_s = self._clock()
        self._done = 0

    @property
    def due(self) -> int:
        """Ticks owed."""
        return math.floor((self._clock() - self._anchor_s) * self._speed / TICK_S) - self._done

    @property
    def behind_s(self) -> float:
        """Simulated time owed, in whole ticks; a single tick is about to be done."""
        return max(0, self.due - 1) * TICK_S

    @property
    def wait_s(self) -> float | None:
        """Wall time until the next tick is due; None when none ever will be."""
        if self._speed <= 0:
            return None
        return max(0.0, self._anchor_s + (self._done + 1) * TICK_S / self._speed - self._clock())

    def count(self) -> None:
        """A tick was done."""
        self._done += 1
