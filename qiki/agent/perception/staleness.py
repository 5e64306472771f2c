"""The agent's staleness limits: when an input is silent too long or too late, from the rates in the table of topics."""

from collections import deque
from dataclasses import replace
from statistics import median_low
from typing import Any

from qiki.agent.perception.frames import Received
from qiki.contracts import topics
from qiki.contracts.radar import TrackedFrame
from qiki.contracts.telemetry import TelemetrySnapshot
from qiki.state import State, Stateful

UNKNOWN_S = 5.0
"""Silence allowed after the first frame, before a period is known."""
KEPT_PERIODS = 5


class FramePace(Stateful):
    """The period of a run's frames [simulated s], from their numbers and times.

    Attributes:
        period_s: the shortest so far, for a radar may be off for a while; that of the run before until two frames
            came; None before any two
    """

    STATE = State(period_s=float | None, _of_this_run=bool, _last=tuple[int, float] | None)

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


class StalenessMonitor(Stateful):
    """Measures the silence of tracks and telemetry, and the lag of frames behind the simulation.

    Live, frames are due while telemetry, which comes by the wall clock, says that the simulation runs: only time
    between two such snapshots counts as silence. In lockstep the clock is simulated time, and frames are always due.

    Attributes:
        frame: the message of the newest complete frame
        telemetry: the newest message
        late_s: lag of that frame behind the newest telemetry, on the agent's clock
    """

    STATE = State(
        frame=Received | None,
        telemetry=Received | None,
        late_s=float,
        _silent_s=float,
        _shown_s=float | None,
        _frames=FramePace,
        _snapshot_periods_s=deque[float],
        _speed=float,
        _running=bool,
    )

    def __init__(self, stale_min_s: float, lockstep: bool) -> None:
        self._stale_min_s, self._lockstep = stale_min_s, lockstep
        self._silent_s = self.late_s = 0.0
        self.frame: Received | None = None
        self.telemetry: Received | None = None
        self._shown_s: float | None = None
        self._frames = FramePace()
        self._snapshot_periods_s: deque[float] = deque(maxlen=KEPT_PERIODS)
        self._speed = 1.0
        self._running = False

    def take_frame(self, frame: TrackedFrame, received: Received) -> None:
        """Take a frame that is complete."""
        self._shown_s = frame.timestamp.timestamp()
        self._frames.take(frame.frame, self._shown_s)
        self.frame = received
        self._silent_s = 0.0

    def take_telemetry(self, snapshot: TelemetrySnapshot, received: Received) -> None:
        """Take the bot's own state."""
        running = snapshot.sim_state.running and not snapshot.sim_state.paused
        passed = self._running and running
        if passed and self.telemetry is not None:
            last_s = max(self.telemetry.at_s, self.frame.at_s if self.frame else 0.0)
            self._silent_s += max(0.0, received.at_s - last_s)
        if self.telemetry is not None:
            self._snapshot_periods_s.append(received.at_s - self.telemetry.at_s)
        self.telemetry, self._running, self._speed = received, running, snapshot.sim_state.speed
        if not self._lockstep:
            shown_s, t_s = self._shown_s, snapshot.timestamp.timestamp()
            late_s = 0.0 if shown_s is None else max(0.0, t_s - shown_s) / max(self._speed, 1.0)
            # While time is held, a step may advance it at once: then the lag can only shrink.
            self.late_s = late_s if passed else min(self.late_s, late_s)

    def begin_run(self, at_s: float) -> None:
        """Begin another run: live frames get the usual time for its first one, others count as never come."""
        before_s = self.telemetry.at_s if self.telemetry else at_s
        alive = self.frame is not None and self.tracks_alive(before_s)
        self.frame = replace(self.frame, at_s=at_s) if self.frame is not None and alive else None
        self._silent_s = self.late_s = 0.0
        self._shown_s = None
        self._frames.begin_run()

    def tracks_alive(self, now_s: float) -> bool:
        """Return whether frames come in time."""
        if self.frame is None:
            return False
        silent_s = now_s - self.frame.at_s if self._lockstep else self._silent_s
        return max(silent_s, self.late_s) <= self._frames_allowed_s

    def telemetry_alive(self, now_s: float) -> bool:
        """Return whether telemetry comes in time."""
        if self.telemetry is None:
            return False
        # Snapshots may also come out of turn.
        period_s = median_low(self._snapshot_periods_s) if self._snapshot_periods_s else 0.0
        return now_s - self.telemetry.at_s <= self._allowed_s(topics.TELEMETRY, period_s)

    @property
    def _frames_allowed_s(self) -> float:
        """Silence allowed; frames of a slowed simulation come later in proportion."""
        period_s = self._frames.period_s
        if period_s is None:
            return max(UNKNOWN_S, self._stale_min_s)
        pace = self._speed if self._speed > 0.0 and not self._lockstep else 1.0
        return self._allowed_s(topics.TRACKED, period_s / pace, min(pace, 1.0))

    def _allowed_s(self, topic: topics.Topic[Any], period_s: float, pace: float = 1.0) -> float:
        nominal_s = (topic.stale_after_s or 0.0) / pace
        return max(nominal_s, topics.STALE_AFTER * period_s, self._stale_min_s)
