"""Histories: the messages of each topic that have passed, written by the wire's thread; waits for more of them."""

import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any, TypeVar

from nats.aio.msg import Msg

from qiki.contracts.topics import TOPICS, Topic
from qiki_harness.twin.backing import Backing
from qiki_harness.twin.records import Record
from qiki_harness.twin.where import Where

P = TypeVar("P")
T = TypeVar("T")

_LOOK_AGAIN_S = 0.1  # conditions may look beyond the histories: at a metric, at the state of a service
_NEAREST = 3
_LOG_LINES = 8
_BODY_CHARS = 600


class AwaitedError(AssertionError):
    """A wait failed."""


class InterruptedWaitError(Exception):
    """A wait was interrupted."""


@dataclass(frozen=True, eq=False, slots=True)
class _Wait:
    """A wait for messages of a topic's subject; None: of any."""

    topic: str | None
    wake: threading.Event = field(default_factory=threading.Event)


class Ledger:
    """All histories, and waits for them to grow.

    Args:
        table: the topics that are of interest; requests have no history

    A wait for a topic looks when the history of that topic grows: most messages are tracks, and few wait for those.

    Attributes:
        topics: those that have a history
        breaks: when the connection broke; what passed meanwhile and is not kept is missing
    """

    def __init__(self, table: Sequence[Topic[Any]] = TOPICS) -> None:
        self.topics = tuple(topic for topic in table if not topic.answered)
        self.breaks: list[datetime] = []
        # None: withdrawn. The others keep their places, so that moments stay true.
        self._histories: dict[str, list[Record[Any] | None]] = {topic.subject: [] for topic in self.topics}
        self._covering = cache(lambda subject: [topic for topic in self.topics if topic.covers(subject)])
        self._waits: tuple[_Wait, ...] = ()  # replaced as a whole: the wire's thread goes through it without a lock
        self._lock = threading.Lock()

    def history(self, topic: Topic[P], begin: int = 0) -> list[Record[P]]:
        """Return the messages of a topic from a place on, in the order of their arrival."""
        return [record for record in self._histories[topic.subject][begin:] if record is not None]

    def came(self, topic: Topic[Any]) -> int:
        """Return the number of messages of a topic that have come, withdrawn ones too."""
        return len(self._histories[topic.subject])

    def add(self, subject: str, body: bytes, headers: Mapping[str, str] | None, sequence: int = 0) -> None:
        """Add a message to the history of each topic that it belongs to."""
        came_s = time.monotonic()
        for topic in self._covering(subject):
            self._histories[topic.subject].append(Record(subject, body, headers or {}, sequence, topic, came_s))
            for wait in self._waits:
                if wait.topic is None or wait.topic == topic.subject:
                    wait.wake.set()

    def take(self, message: Msg, sequence: int) -> None:
        """Add a message as it came."""
        self.add(message.subject, message.data, message.headers, sequence)

    def withdraw(self, stream: str, behind: int) -> None:
        """Remove the messages of a stream behind a sequence: a killed broker has lost them, and they may come again."""
        for topic in self.topics:
            if topic.stream == stream:
                _withdraw(self._histories[topic.subject], behind)

    def broke(self, moment: datetime) -> None:
        """Note that the connection broke."""
        self.breaks.append(moment)

    def wake(self) -> None:
        """Let all waits look again."""
        for wait in self._waits:
            wait.wake.set()

    def clear(self) -> None:
        """Empty all histories."""
        for history in self._histories.values():
            history.clear()

    def mark(self) -> Mapping[str, int]:
        """Return the present moment: the length of each history, by its topic's subject."""
        return {subject: len(history) for subject, history in self._histories.items()}

    def wait(self, look: Callable[[], T | None], deadline_s: float, topic: Topic[Any] | None = None) -> T | None:
        """Look whenever something has come, of one topic or any, until there is a result; None at the deadline."""
        end_s = time.monotonic() + deadline_s
        with self._waiting(_Wait(topic.subject if topic else None)) as wait:
            while (found := look()) is None and (left_s := end_s - time.monotonic()) > 0:
                wait.wake.wait(min(left_s, _LOOK_AGAIN_S))
                wait.wake.clear()  # before the next look: what comes during it is looked at again
        return found

    @contextmanager
    def _waiting(self, wait: _Wait) -> Iterator[_Wait]:
        with self._lock:
            self._waits = (*self._waits, wait)
        try:
            yield wait
        finally:
            with self._lock:
                self._waits = tuple(other for other in self._waits if other is not wait)

    def failure(self, headline: str, instead: Iterable[str], backing: Backing) -> AwaitedError:
        """Return the error of a wait: its headline, lines about what came instead, and how things stand."""
        counts = ", ".join(f"{len(self.history(topic))} {topic.noun}s" for topic in self.topics)
        breaks = [f"the twin's connection broke at {time:%T}: what is not kept was missed" for time in self.breaks]
        states = backing.situation(_LOG_LINES)
        return AwaitedError("\n".join([headline, *instead, f"seen since the beginning: {counts}", *breaks, *states]))


def _withdraw(history: list[Record[Any] | None], behind: int) -> None:
    """Withdraw from the end on what a stream has lost; what came of an earlier stream of the name stays."""
    lost = sys.maxsize
    for place in reversed(range(len(history))):
        if (record := history[place]) is not None:
            if not behind < record.sequence < lost:
                return
            lost = record.sequence
            history[place] = None


def nearest(condition: Where[Any], seen: list[Record[Any]], name: str) -> Iterator[str]:
    """Yield lines about the records that fail the fewest conditions, the newest first among equals."""
    if seen:
        yield f"{len(seen)} {name}s came; nearest to it:"
    newest_first = reversed(seen)
    for record in sorted(newest_first, key=lambda record: len(condition.complaints(record)))[:_NEAREST]:
        place = f" {record.sequence}" if record.sequence else ""
        yield f"  {record.subject}{place}: {'; '.join(condition.complaints(record)) or 'it is so now'}"
        body = record.body.decode(errors="replace")
        yield f"    {body[:_BODY_CHARS]}{'…' if len(body) > _BODY_CHARS else ''}"
