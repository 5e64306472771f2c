"""A check of the smoke test, its verdict, and the run of all side by side; their table is `checks/__init__.py`."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

import grpc
import nats.errors

from qiki.text import printable
from qiki_harness.errors import DeadlineError
from qiki_harness.twin import AwaitedError, Twin, UnreadableError

T = TypeVar("T")

ANSWER_S = 5.0


class CheckFailedError(Exception):
    """The part is not as it should be; the text says how it is, in one line."""


@dataclass(frozen=True, slots=True)
class Check:
    """One part of the stack."""

    name: str
    proves: str  # what is true when it passes
    run: Callable[[Twin], str]  # looks, and returns what it saw; raises CheckFailedError
    needs: tuple[str, ...] = ()  # checks without which this one cannot judge; they stand before it in the table


class CheckVerdict(StrEnum):
    """The outcome of a check; BLOCKED: something that it needs has failed, so it was not made."""

    PASSED = "passed"
    FAILED = "failed"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """A check that was made."""

    check: Check
    verdict: CheckVerdict
    duration_s: float
    text: str  # what it saw, or why it failed, or what blocks it


def run(checks: Sequence[Check], twin: Twin, show: Callable[[CheckResult], None] = lambda _: None) -> list[CheckResult]:
    """Make the checks, each as soon as what it needs has passed; what is not among them is taken as passed.

    `show` is called with each result, in the order of the checks, as early as that allows. An exception in the calling
    thread, as of Ctrl-C, interrupts the checks, and leaves when they have ended.
    """
    futures: dict[str, Future[CheckResult]] = {}
    results = []
    with ThreadPoolExecutor(len(checks)) as pool:
        try:
            for check in checks:
                needed = [futures[name] for name in check.needs if name in futures]
                futures[check.name] = pool.submit(_judge, check, twin, needed)
            for future in futures.values():
                results.append(future.result())
                show(results[-1])
        except BaseException:
            twin.interrupt()
            raise
    return results


def _judge(check: Check, twin: Twin, needed: Sequence[Future[CheckResult]]) -> CheckResult:
    missing = [one.result().check.name for one in needed if one.result().verdict is not CheckVerdict.PASSED]
    if missing:
        return CheckResult(check, CheckVerdict.BLOCKED, 0.0, f"needs {' and '.join(missing)}")
    began_s = time.monotonic()
    try:
        verdict, text = CheckVerdict.PASSED, check.run(twin)
    except Exception as error:  # whatever it is, the other checks go on
        verdict, text = CheckVerdict.FAILED, _reason(error)
    return CheckResult(check, verdict, time.monotonic() - began_s, _line(text))


def _reason(error: Exception) -> str:
    if isinstance(error, AssertionError | CheckFailedError | UnreadableError | DeadlineError):
        return str(error)
    if isinstance(error, grpc.RpcError):
        return f"gRPC: {rpc_fault(error)}"
    if isinstance(error, nats.errors.Error | TimeoutError):
        return f"NATS: {str(error) or 'no answer in time'}"
    return f"{type(error).__name__}: {error}"


def _line(text: str) -> str:
    """Return it on one line, in characters that can be printed."""
    return printable(" ".join(text.split()))


def until(twin: Twin, look: Callable[[], T | None], deadline_s: float, complaint: str | Callable[[], str]) -> T:
    """Return what `look` finds; it looks again whenever something has come.

    Raises:
        CheckFailedError: it found nothing in time; the text is the complaint.
    """
    try:
        return twin.await_until("", look, deadline_s)
    except AwaitedError:
        raise CheckFailedError(complaint if isinstance(complaint, str) else complaint()) from None


def rpc_fault(error: grpc.RpcError) -> str:
    """Return the code and the details of a failed call."""
    call: Any = error
    return f"{call.code().name}: {call.details()}"
