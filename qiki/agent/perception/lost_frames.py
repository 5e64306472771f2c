"""Lost frames: measured, but never published, or not readable."""

from collections import deque
from typing import NamedTuple

KEPT = 256


class _Gap(NamedTuple):
    run: str
    first: int
    last: int


class LostFrames:
    """The newest gaps in the frames of all runs."""

    def __init__(self) -> None:
        self._gaps: deque[_Gap] = deque(maxlen=KEPT)

    def add(self, run: str, first: int, last: int) -> None:
        """Add a gap, both numbers included."""
        self._gaps.append(_Gap(run, first, last))

    def covers(self, run: str, frame: int) -> bool:
        """Return whether a frame is lost."""
        return any(gap.run == run and gap.first <= frame <= gap.last for gap in self._gaps)
