"""Frames that were measured and that nothing will come of: they were never published, or could not be read."""

from collections import deque
from typing import NamedTuple

KEPT = 256


class _Gap(NamedTuple):
    run: str
    first: int
    last: int


class LostFrames:
    """The newest of them; who waits for a frame waits for one that came last."""

    def __init__(self) -> None:
        self._gaps: deque[_Gap] = deque(maxlen=KEPT)

    def add(self, run: str, first: int, last: int) -> None:
        """Frames of a run are lost, both numbers included."""
        self._gaps.append(_Gap(run, first, last))

    def covers(self, run: str, frame: int) -> bool:
        """Whether a frame is among them."""
        return any(gap.run == run and gap.first <= frame <= gap.last for gap in self._gaps)
