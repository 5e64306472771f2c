"""Whether the agent's two inputs may be acted on: the time that each has been silent though something was due."""

from dataclasses import replace

from q_core_agent.evidence import Received
from qiki.contracts import topics
from qiki.contracts.models import TelemetrySnapshot


class Liveness:
    """Watches the silence of tracks and telemetry.

    Live, frames are due while telemetry, which comes by the wall clock, says that the simulation runs; so only time
    between two snapshots that say so counts as silence, and a pause between them is none. In lockstep the clock is
    the simulation's own, and frames are always due.
    """

    def __init__(self, stale_min_s: float, lockstep: bool) -> None:
        self._stale_min_s = stale_min_s
        self._lockstep = lockstep
        self._silent_s = 0.0
        self.frame: Received | None = None
        self.telemetry: Received | None = None
        self._speed = 1.0
        self._running = False

    def take_frame(self, received: Received) -> None:
        """A frame is there as a whole."""
        self.frame = received
        self._silent_s = 0.0

    def take_telemetry(self, snapshot: TelemetrySnapshot, received: Received) -> None:
        """The bot's own state came."""
        running = snapshot.sim_state.running and not snapshot.sim_state.paused
        if self._running and running and self.telemetry is not None:
            heard_s = max(self.telemetry.at_s, self.frame.at_s if self.frame else 0.0)
            self._silent_s += max(0.0, received.at_s - heard_s)
        self.telemetry, self._running, self._speed = received, running, snapshot.sim_state.speed

    def begin_run(self, at_s: float) -> None:
        """Another run: frames that were alive get the usual time for its first one, others have never come."""
        before_s = self.telemetry.at_s if self.telemetry else at_s
        alive = self.frame is not None and self.tracks_alive(before_s)
        self.frame = replace(self.frame, at_s=at_s) if self.frame is not None and alive else None
        self._silent_s = 0.0

    def tracks_alive(self, now_s: float) -> bool:
        """Whether frames come as they should."""
        if self.frame is None:
            return False
        silent_s = now_s - self.frame.at_s if self._lockstep else self._silent_s
        return silent_s <= self._allowed_s(topics.TRACKED, self._speed)

    def telemetry_alive(self, now_s: float) -> bool:
        """Whether telemetry comes as it should."""
        if self.telemetry is None:
            return False
        return now_s - self.telemetry.at_s <= self._allowed_s(topics.TELEMETRY)

    def _allowed_s(self, topic: topics.Topic, speed: float = 1.0) -> float:
        """Silence that is allowed; frames that are paced slower than time come later by as much."""
        slow = 0.0 < speed < 1.0 and not self._lockstep
        return max((topic.stale_after_s or 0.0) / (speed if slow else 1.0), self._stale_min_s)
