"""Health as the engine judges it: from the results of probes, their times and the check's numbers."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from qiki_harness.compose import Healthcheck
from qiki_harness.stack.status import ServiceHealth

Probe = Callable[[], Awaitable[tuple[bool, str]]]


class HealthJudge:
    """The rules, without a clock (Compose Specification, healthcheck; Dockerfile HEALTHCHECK).

    Within the start period failures do not count and probes come at the start interval; the first success
    ends it. After that so many failures in a row as `retries` says make a service unhealthy.
    """

    def __init__(self, check: Healthcheck) -> None:
        self._check = check
        self._failures = 0
        self._passed_once = False
        self.health = ServiceHealth.STARTING

    def pause_s(self, age_s: float) -> float:
        """Return the time to the next probe of a service of this age [s]."""
        return self._check.start_interval_s if self._starting(age_s) else self._check.interval_s

    def judge(self, age_s: float, *, passed: bool) -> ServiceHealth:
        """Take the result of one probe."""
        if passed:
            self._passed_once, self._failures, self.health = True, 0, ServiceHealth.HEALTHY
        elif not self._starting(age_s):
            self._failures += 1
            if self._failures >= self._check.retries:
                self.health = ServiceHealth.UNHEALTHY
        return self.health

    def _starting(self, age_s: float) -> bool:
        return not self._passed_once and age_s < self._check.start_period_s


async def watch_health(check: Healthcheck, probe: Probe, report: Callable[[ServiceHealth, str], None]) -> None:
    """Probe for ever; report each verdict with the text of a failed probe."""
    judge = HealthJudge(check)
    born = time.monotonic()
    while True:
        await asyncio.sleep(judge.pause_s(time.monotonic() - born))
        passed, words = await probe()
        report(judge.judge(time.monotonic() - born, passed=passed), "" if passed else words)
