"""A check of one part of the stack, its result, and its waits."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

import grpc

from qiki_harness.twin import AwaitedError, Twin

T = TypeVar("T")

ANSWER_S = 5.0


class CheckFailedError(Exception):
    """The part is not as it should be; the text says how it is, in one line."""


@dataclass(frozen=True, slots=True)
class Check:
    """One part of the stack.

    Attributes:
        proves: what is true when it passes
        run: looks, and returns what it saw; raises CheckFailedError
        needs: checks without which this one cannot judge; they stand before it in the table
    """

    name: str
    proves: str
    run: Callable[[Twin], str]
    needs: tuple[str, ...] = ()


class CheckVerdict(StrEnum):
    """The outcome of a check; BLOCKED: something that it needs has failed, so it was not made."""

    PASSED = "passed"
    FAILED = "failed"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """A check that was made.

    Attributes:
        text: what it saw, or why it failed, or what blocks it
    """

    check: Check
    verdict: CheckVerdict
    duration_s: float
    text: str


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
