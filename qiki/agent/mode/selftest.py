"""The self test's schedule, its last report, and its changes."""

from qiki.agent.mode.bios import examine, status
from qiki.agent.sim_instant import SimInstant
from qiki.agent.vehicle import Answers
from qiki.botspec.config import BotConfig
from qiki.contracts.events.agent import BiosStatus
from qiki.contracts.models import TelemetrySnapshot

RETRY_S = 1.0
"""Until the next try when the vehicle does not answer."""


class SelfTest:
    """Keeps the BIOS status up to date from answers that its owner fetches when due.

    Attributes:
        status: the last report; None before the first, and while the vehicle does not answer
        answered: whether there ever was a report
    """

    def __init__(self, config: BotConfig, interval_s: float) -> None:
        self._config = config
        self._interval_s = interval_s
        self._asked_s: float | None = None
        self._asked_run = ""
        self._uptime_s = 0.0
        self._last: SimInstant | None = None
        self.status: BiosStatus | None = None
        self.answered = False

    def due(self, run_id: str, now_s: float) -> bool:
        """Return whether the interval is over, or another run has begun."""
        if self._asked_s is None or run_id != self._asked_run:
            return True
        wait_s = self._interval_s if self.status else min(RETRY_S, self._interval_s)
        return now_s - self._asked_s >= wait_s

    def pass_time(self, instant: SimInstant) -> None:
        """Count simulated time since the boot, through all runs."""
        if self._last is not None and self._last.run_id == instant.run_id:
            self._uptime_s += max(0.0, instant.t_s - self._last.t_s)
        self._last = instant

    def take(self, answers: Answers, own: TelemetrySnapshot, instant: SimInstant, now_s: float) -> BiosStatus | None:
        """Judge the answers; return the report if it differs from the last one."""
        self._asked_s, self._asked_run = now_s, instant.run_id
        before, self.status = self.status, None
        if answers.timed_out:
            return None
        self.answered = True
        self.status = status(examine(self._config, answers, own), instant, self._uptime_s)
        known = before is not None and before.post_results == self.status.post_results
        return None if known else self.status
