"""The measured period of an input: a scenario or a setting may slow it down."""

from collections import deque

KEPT = 5


class FramePace:
    """The period of a run's frames [simulated s], from their numbers and times.

    Attributes:
        period_s: the shortest so far, for a radar may be off for a while; that of the run before until two frames
            came; None before any two
    """

    def __init__(self) -> None:
        self.period_s: float | None = None
        self._of_this_run = False
        self._last: tuple[int, float] | None = None

    def take(self, number: int, t_s: float) -> None:
        """Take a frame."""
        if self._last is not None and number > self._last[0]:
            period_s = (t_s - self._last[1]) / (number - self._last[0])
            known = self.period_s if self._of_this_run else None
            self.period_s = period_s if known is None else min(known, period_s)
            self._of_this_run = True
        self._last = (number, t_s)

    def begin_run(self) -> None:
        """Begin another run, whose frames may come at another rate."""
        self._of_this_run, self._last = False, None


class ArrivalPace:
    """The period of messages that may also come out of turn: the median of the last few."""

    def __init__(self) -> None:
        self._periods_s: deque[float] = deque(maxlen=KEPT)

    @property
    def period_s(self) -> float | None:
        """None before the second message."""
        ordered = sorted(self._periods_s)
        return ordered[(len(ordered) - 1) // 2] if ordered else None

    def take(self, since_s: float) -> None:
        """Take a message that came `since_s` after the last one."""
        self._periods_s.append(since_s)
