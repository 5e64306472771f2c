"""What a check is, and what becomes of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qiki_harness.smoke.session import Session


class CheckFailedError(Exception):
    """What a check looks at is not as it should be; the text says how it is, in one line."""


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
    run: Callable[[Session], Awaitable[str]]
    needs: tuple[str, ...] = ()


class Verdict(StrEnum):
    """What became of a check; BLOCKED: something that it needs has failed, so it was not made."""

    PASSED = "passed"
    FAILED = "failed"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True)
class Result:
    """A check that was made.

    Attributes:
        text: what it saw, or why it failed, or what blocks it
    """

    check: Check
    verdict: Verdict
    duration_s: float
    text: str
