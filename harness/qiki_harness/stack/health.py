"""The health of a service: its probe, and the verdict as the engine judges it."""

import asyncio
import time
from asyncio.subprocess import DEVNULL, PIPE, STDOUT
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from qiki.runtime import probe as ours
from qiki_harness.compose import Healthcheck
from qiki_harness.stack.guardian import Guardian
from qiki_harness.stack.model import ServiceHealth
from qiki_harness.stack.process import kill_group


class HealthJudge:
    """The rules, without a clock (Compose Specification, healthcheck; Dockerfile HEALTHCHECK).

    Within the start period, which the first success ends, failures do not count and probes come at the start interval.
    After it, as many failures in a row as `retries` says make a service unhealthy.
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


async def watch_health(
    check: Healthcheck, probe: Callable[[], Awaitable[tuple[bool, str]]], report: Callable[[ServiceHealth, str], None]
) -> None:
    """Probe for ever; report each verdict with the text of a failed probe."""
    judge = HealthJudge(check)
    born = time.monotonic()
    while True:
        await asyncio.sleep(judge.pause_s(time.monotonic() - born))
        passed, words = await probe()
        report(judge.judge(time.monotonic() - born, passed=passed), "" if passed else words)


async def probe(
    check: Healthcheck, environment: Mapping[str, str], folder: Path, guardian: Guardian
) -> tuple[bool, str]:
    """Run a health check's test once; return whether it passed, and its last line.

    The services' own probe is not run but its question asked from here: the start of a process costs forty times as
    much, and for six services every other second that was a third of what the whole stack needs.
    """
    if question := _question_of_ours(check, folder):
        passed, words = await ours.ask_in_loop(*question)
        return passed, _last(words)
    try:
        process = await asyncio.create_subprocess_exec(
            *check.test, cwd=folder, env=environment, stdin=DEVNULL, stdout=PIPE, stderr=STDOUT, start_new_session=True
        )
    except OSError as error:
        return False, f"{check.test[0]}: {error.strerror}"
    guardian.watch(process.pid)
    try:
        # Not wait_for, which in Python 3.11 can swallow a cancellation that comes as the process ends.
        async with asyncio.timeout(check.timeout_s):
            output, _ = await process.communicate()
    except TimeoutError:
        return False, f"no answer within {check.timeout_s:g} s"
    finally:
        kill_group(process.pid)
        await process.wait()
        guardian.forget(process.pid)
    words = _last(output.decode(errors="replace"))
    return process.returncode == 0, words or f"the probe said nothing, exit status {process.returncode}"


def _question_of_ours(check: Healthcheck, folder: Path) -> tuple[str, ...]:
    """Return the arguments of `qiki.runtime.probe`; none for any other test."""
    match check.test:
        case ("python", "-IS", script, *question) if (folder / script).resolve() == Path(ours.__file__).resolve():
            return tuple(question)
    return ()


def _last(words: str) -> str:
    return words.strip().rpartition("\n")[2][-200:]
