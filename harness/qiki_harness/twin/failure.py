"""The text of a failed wait: what was awaited, what came instead, how the services are."""

from typing import TypeVar

from qiki_harness.twin.backing import Backing
from qiki_harness.twin.history import History, Ledger
from qiki_harness.twin.records import Record
from qiki_harness.twin.where import Where

P = TypeVar("P")

_NEAREST = 3
_LOG_LINES = 8
_BODY_CHARS = 600


class AwaitedError(AssertionError):
    """A wait failed."""


class InterruptedWaitError(Exception):
    """A wait was interrupted."""


def nothing_came(
    condition: Where[P], history: History[P], begin: int, waited_s: float, ledger: Ledger, backing: Backing
) -> AwaitedError:
    """Describe a wait for a record that meets a condition."""
    seen = history.records[begin:]
    lines = [f"waited {waited_s:g} s for {condition}: none came"]
    if seen:
        lines.append(f"{len(seen)} {history.name} came; nearest to it:")
        lines += [line for record in _nearest(condition, seen) for line in _shown(condition, record)]
    return AwaitedError("\n".join([*lines, *_surroundings(ledger, backing)]))


def never_true(text: str, waited_s: float, ledger: Ledger, backing: Backing) -> AwaitedError:
    """Describe a wait for a condition that the test describes itself."""
    return AwaitedError("\n".join([f"waited {waited_s:g} s until {text}: never so", *_surroundings(ledger, backing)]))


def _nearest(condition: Where[P], seen: list[Record[P]]) -> list[Record[P]]:
    """Return those that fail the fewest conditions, the newest first among equals."""
    newest_first = seen[::-1]
    return sorted(newest_first, key=lambda record: len(condition.complaints(record)))[:_NEAREST]


def _shown(condition: Where[P], record: Record[P]) -> list[str]:
    body = record.body.decode(errors="replace")
    more = "…" if len(body) > _BODY_CHARS else ""
    place = f" {record.sequence}" if record.sequence else ""
    return [
        f"  {record.subject}{place}: {'; '.join(condition.complaints(record)) or 'it is so now'}",
        f"    {body[:_BODY_CHARS]}{more}",
    ]


def _surroundings(ledger: Ledger, backing: Backing) -> list[str]:
    counts = ", ".join(f"{len(history)} {history.name}" for history in ledger.histories)
    breaks = [f"the twin's connection broke at {time:%T}: what is not kept was missed" for time in ledger.breaks]
    return [f"seen since the beginning: {counts}", *breaks, *backing.situation(_LOG_LINES)]
