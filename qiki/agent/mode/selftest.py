"""When the self test is due, what the last one said, and whether that is news."""

from qiki.agent.mode.bios import examine, status
from qiki.agent.sim_instant import SimInstant
from qiki.agent.vehicle import Answers
from qiki.botspec.config import BotConfig
from qiki.contracts.events.agent import BiosStatus
from qiki.contracts.models import TelemetrySnapshot

RETRY_S = 1.0
"""Until the next try when nobody answered."""


class SelfTest:
    """Keeps the BIOS up to date; whoever has it asks the vehicle when it is due.

    Attributes:
        status: the last report; None before the first, and while it is lost
        answered: whether there was ever one
    """

    def __init__(self, config: BotConfig, interval_s: float) -> None:
        self._config = config
        self._interval_s = interval_s
        self._asked_s: float | None = None
        self._asked_run = ""
        self._uptime_s = 0.0
        self._seen: SimInstant | None = None
        self.status: BiosStatus | None = None
        self.answered = False

    def due(self, run_id: str, now_s: float) -> bool:
        """Whether to ask now: the interval is over, or another run has begun."""
        if self._asked_s is None or run_id != self._asked_run:
            return True
        wait_s = self._interval_s if self.status else min(RETRY_S, self._interval_s)
        return now_s - self._asked_s >= wait_s

    def pass_time(self, stamp: SimInstant) -> None:
        """Count simulated time since the boot; another run's goes on from there."""
        if self._seen is not None and self._seen.run_id == stamp.run_id:
            self._uptime_s += max(0.0, stamp.t_s - self._seen.t_s)
        self._seen = stamp

    def take(self, answers: Answers, own: TelemetrySnapshot, stamp: SimInstant, now_s: float) -> BiosStatus | None:
        """Judge the answers; the report, when it is news."""
        self._asked_s, self._asked_run = now_s, stamp.run_id
        before, self.status = self.status, None
        if answers.timed_out:
            return None
        self.answered = True
        self.status = status(examine(self._config, answers, own), stamp, self._uptime_s)
        known = before is not None and before.post_results == self.status.post_results
        return None if known else self.status
