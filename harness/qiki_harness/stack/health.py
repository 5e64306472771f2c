"""The health of a service: its probe, and the verdict as the engine judges it."""

import asyncio
import contextlib
import math
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Self

from qiki.runtime import probe as ours
from qiki_harness.compose import Healthcheck
from qiki_harness.stack.guardian import Guardian
from qiki_harness.stack.leader import start_leader
from qiki_harness.stack.model import ServiceHealth

_PIPE_BYTES, _KEPT_BYTES = 65_536, 4096
_SOON_S, _LATER = 0.005, 1.3  # pauses grow to the check's own


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
        return self._check.start_interval_s if self.starting(age_s) else self._check.interval_s

    def judge(self, age_s: float, *, passed: bool) -> ServiceHealth:
        """Take the result of one probe."""
        if passed:
            self._passed_once, self._failures, self.health = True, 0, ServiceHealth.HEALTHY
        elif not self.starting(age_s):
            self._failures += 1
            if self._failures >= self._check.retries:
                self.health = ServiceHealth.UNHEALTHY
        return self.health

    def starting(self, age_s: float) -> bool:
        """Return whether a service of this age [s] is in its start period."""
        return not self._passed_once and age_s < self._check.start_period_s


class Probe:
    """A health check's test.

    The services' own probe is not run but its question asked from here: the start of a process costs forty times as
    much, and for six services every other second that was a third of what the whole stack needs.
    """

    def __init__(self, check: Healthcheck, environment: Mapping[str, str], folder: Path, guardian: Guardian) -> None:
        self._check = check
        self._environment = environment
        self._folder = folder
        self._guardian = guardian
        self._question = _question_of_ours(check, folder)

    @property
    def is_question(self) -> bool:
        """True for the services' own probe."""
        return bool(self._question)

    async def run(self, *, starting: bool = False) -> tuple[bool, str]:
        """Run it once; return whether it passed, and its last line."""
        if not self._question:
            return await _run(self._check, self._environment, self._folder, self._guardian)
        url, *tolerated = self._question
        passed, words = await ours.ask_in_loop(ours.patient(url) if starting else url, *tolerated)
        return passed, _last(words)


async def watch_health(check: Healthcheck, probe: Probe, report: Callable[[ServiceHealth, str], None]) -> None:
    """Probe for ever; report each verdict with the text of a failed probe.

    In the start period a question of ours is asked at once and, while nobody listens, soon again; a service that
    listens answers when it is ready.
    """
    judge = HealthJudge(check)
    born = time.monotonic()
    soon_s = _SOON_S if probe.is_question else math.inf
    while True:
        age_s = time.monotonic() - born
        starting = judge.starting(age_s)
        await asyncio.sleep(min(soon_s, judge.pause_s(age_s)) if starting else judge.pause_s(age_s))
        soon_s *= _LATER
        passed, words = await probe.run(starting=starting)
        report(judge.judge(time.monotonic() - born, passed=passed), "" if passed else words)


async def _run(
    check: Healthcheck, environment: Mapping[str, str], folder: Path, guardian: Guardian
) -> tuple[bool, str]:
    with _LastWords() as said:
        try:
            process = start_leader(check.test, folder=folder, environment=environment, output=said.writing)
        except OSError as error:
            return False, f"{check.test[0]}: {error.strerror}"
        guardian.watch(process.pid)
        try:
            # Not wait_for, which in Python 3.11 can swallow a cancellation that comes as the process ends.
            async with asyncio.timeout(check.timeout_s):
                status = await process.wait()
        except TimeoutError:
            return False, f"no answer within {check.timeout_s:g} s"
        finally:
            process.kill_group()
            await process.wait()
            guardian.forget(process.pid)
        return status == 0, _last(said.text()) or f"the probe said nothing, exit status {status}"


class _LastWords:
    """A pipe for a program's output, of which the end is kept."""

    def __init__(self) -> None:
        self._reading, self.writing = os.pipe()
        os.set_blocking(self._reading, False)
        self._kept = b""

    def __enter__(self) -> Self:
        asyncio.get_running_loop().add_reader(self._reading, self._read)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.get_running_loop().remove_reader(self._reading)
        os.close(self._reading)
        os.close(self.writing)

    def text(self) -> str:
        """Return the end of what was said."""
        while self._read():
            pass
        return self._kept.decode(errors="replace")

    def _read(self) -> bool:
        with contextlib.suppress(BlockingIOError):
            more = os.read(self._reading, _PIPE_BYTES)
            self._kept = (self._kept + more)[-_KEPT_BYTES:]
            return bool(more)
        return False


def _question_of_ours(check: Healthcheck, folder: Path) -> tuple[str, ...]:
    """Return the arguments of `qiki.runtime.probe`; none for any other test."""
    match check.test:
        case ("python", "-IS", script, *question) if (folder / script).resolve() == Path(ours.__file__).resolve():
            return tuple(question)
    return ()


def _last(words: str) -> str:
    return words.strip().rpartition("\n")[2][-200:]
