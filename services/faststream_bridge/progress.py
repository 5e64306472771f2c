"""Progress of a run from frame to frame: the frames that are old, those that cannot be, and jumps that were false.

A frame far ahead of its run makes all later ones old. So a frame may be ahead only by what fits into its time, and its
time only by what a simulation computes meanwhile. Whatever else jumps is on trial for a while: when more frames come
from before the jump than from behind it, it was not the run's, and the run continues from before it.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any, Self

import structlog

from faststream_bridge.frames import PoisonError, StoredFrame
from qiki.contracts.headers import FRAME
from qiki.contracts.ticks import TICK_MS

TICK_US = 1000 * TICK_MS
"""Least time between two frames of the simulator."""
PACE = 10_000
"""Simulated seconds a second of wall time: more than any simulation computes."""
LEEWAY = timedelta(days=1)
"""A radar may have been off, and its frames come in one burst behind an absence of the broker."""
JUMP_US = 2_000_000
"""A frame so much later than the one before is on trial."""
FALSE_JUMP = 5
"""Frames from before a jump, more than came from behind it, after which it was false."""
TRUE_JUMP = 20
MAX_TRIAL = 1000
"""Frames after which a trial ends in any case: a radar that often loses some is not on trial for ever."""
LOG_EVERY_S = 10.0
MICROSECOND = timedelta(microseconds=1)
log = structlog.get_logger()


class JumpError(PoisonError):
    """A frame that is too far ahead of its run."""


@dataclass(frozen=True, slots=True)
class Place:
    """A frame's place in its run; `stored`: when the broker stored it, if known."""

    number: int
    t_us: int
    stored: datetime | None = None


@dataclass(slots=True)
class Trial:
    """A jump that may be false.

    Attributes:
        before: the run's snapshot from before it; None: the run began with it
        last: number of the last frame before it
        t_us: time of that frame; None: there is none
        since_us: time of the first frame behind the last jump
        behind, ahead: frames since then, from before the jump and from behind it
        seen: times of the frames that were tracked since `before`
    """

    before: Mapping[str, Any] | None
    last: int
    t_us: int | None
    since_us: int
    behind: int = 0
    ahead: int = 0
    seen: list[int] = field(default_factory=list)

    def holds(self, place: Place, *, numbered: bool) -> bool:
        """Return whether a frame belongs before the jump, and was not tracked."""
        is_later = self.t_us is None or place.t_us > self.t_us
        follows = is_later and (not numbered or place.number > self.last)
        return follows and place.t_us < self.since_us and place.t_us not in self.seen

    @property
    def is_false(self) -> bool:
        """True once enough frames have come from before the jump."""
        return self.behind - self.ahead >= FALSE_JUMP

    @property
    def is_over(self) -> bool:
        """True once the jump has proved true."""
        return self.ahead >= TRUE_JUMP or len(self.seen) >= MAX_TRIAL

    def take(self, t_us: int, *, jumped: bool) -> None:
        """Note a frame that was tracked."""
        self.seen.append(t_us)
        self.ahead += 1
        if jumped:
            self.since_us, self.behind, self.ahead = t_us, 0, 0

    def snapshot(self) -> dict[str, Any]:
        """Return the state, as JSON values."""
        return asdict(self)

    @classmethod
    def restore(cls, snapshot: Mapping[str, Any] | None) -> Self | None:
        """Continue where `snapshot` was taken."""
        return snapshot and cls(**snapshot)  # type: ignore[return-value]


def jumps(before: Place, place: Place, *, numbered: bool) -> bool:
    """Return whether a frame leaves out others, or comes long after the one before."""
    return place.t_us - before.t_us > JUMP_US or (numbered and place.number > before.number + 1)


def check_pace(before: Place, place: Place, *, numbered: bool) -> None:
    """Raise JumpError if a frame is further ahead of the one before than can be.

    The broker's clock may be set back: then nothing is known of the wall time between the two.
    """
    passed_us, missing = place.t_us - before.t_us, place.number - before.number - 1
    if numbered and passed_us >= 0 and missing * TICK_US > passed_us:
        reason = f"{FRAME}: {place.number} is {missing + 1} frames after the last one, and {passed_us / 1e6:g} s later"
        raise JumpError(f"{reason} (expected at most {passed_us // TICK_US + 1} frames)")
    if before.stored is None or place.stored is None or place.stored < before.stored:
        return
    wall = place.stored - before.stored
    if passed_us * MICROSECOND > PACE * wall + LEEWAY:
        reason = f"timestamp: {passed_us / 1e6:g} s after the last frame, which was stored {wall.total_seconds():g} s"
        raise JumpError(f"{reason} before (expected at most a day, and {PACE} s each second)")


class OldFrames:
    """Frames that are dropped as old, in the log: the first at once, then their number at intervals."""

    def __init__(self) -> None:
        self._logged_s = float("-inf")
        self._count = 0

    def note(self, stored: StoredFrame, sequence: int, now_s: float) -> None:
        """Note one, at a monotonic time."""
        self._count += 1
        if now_s - self._logged_s < LOG_EVERY_S:
            return
        name = stored.origin.run if stored.origin else str(stored.frame.sensor_id)
        number = stored.origin.frame if stored.origin else None
        log.warning("old frames dropped", frames=self._count, run=name, newest_frame=number, sequence=sequence)
        self._logged_s, self._count = now_s, 0
