"""The messages that have passed: a history for each topic, written by the wire's thread, read by the test's."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar

from qiki.contracts.topics import TOPICS, Topic
from qiki_harness.twin.records import Record, reader
from qiki_harness.twin.where import Noun, Where, noun

P = TypeVar("P")
T = TypeVar("T")

_LOOK_AGAIN_S = 0.1  # conditions may look beyond the histories: at a metric, at the state of a service


@dataclass(eq=False)
class History(Generic[P]):
    """The messages of one topic, in the order of their arrival."""

    topic: Topic[P]
    noun: Noun[P]
    read: Callable[[Record[P]], P]
    records: list[Record[P]] = field(default_factory=list)

    @classmethod
    def of(cls, topic: Topic[P]) -> "History[P]":
        """Return an empty one."""
        return cls(topic, noun(topic), reader(topic))

    def __len__(self) -> int:
        return len(self.records)

    @property
    def name(self) -> str:
        """Its messages, in the plural."""
        return f"{self.topic.noun}s"

    def matching(self, condition: Where[P], begin: int = 0) -> Iterator[Record[P]]:
        """Yield those that meet a condition."""
        return (record for record in self.records[begin:] if condition(record))


class Ledger:
    """All histories, and waits for them to grow.

    Args:
        table: the topics that are of interest; requests have no history

    Attributes:
        topics: those that have a history
        breaks: when the connection broke; what passed meanwhile and is not kept is missing
    """

    def __init__(self, table: Sequence[Topic[Any]] = TOPICS) -> None:
        self.topics = tuple(topic for topic in table if not topic.answered)
        self.breaks: list[datetime] = []
        self._histories: dict[str, History[Any]] = {topic.subject: History.of(topic) for topic in self.topics}
        self._by_subject: dict[str, list[History[Any]]] = {}
        self._changed = threading.Condition()

    @property
    def histories(self) -> tuple[History[Any], ...]:
        """All of them."""
        return tuple(self._histories.values())

    def history(self, topic: Topic[P]) -> History[P]:
        """Return a topic's history."""
        return self._histories[topic.subject]

    def add(self, subject: str, body: bytes, headers: Mapping[str, str] | None, sequence: int = 0) -> None:
        """Add a message to the history of each topic that it belongs to."""
        came_s = time.monotonic()
        for history in self._covering(subject):
            history.records.append(Record(subject, body, headers or {}, sequence, history.read, came_s))
        self.wake()

    def wake(self) -> None:
        """Let all waits look again."""
        with self._changed:
            self._changed.notify_all()

    def clear(self) -> None:
        """Empty all histories."""
        for history in self.histories:
            history.records.clear()

    def mark(self) -> Mapping[str, int]:
        """Return the present moment: the length of each history, by its topic's subject."""
        return {subject: len(history) for subject, history in self._histories.items()}

    def wait(self, look: Callable[[], T | None], deadline_s: float) -> T | None:
        """Look whenever something has come, until there is a result; None at the deadline."""
        end_s = time.monotonic() + deadline_s
        while (found := look()) is None and (left_s := end_s - time.monotonic()) > 0:
            with self._changed:
                self._changed.wait(min(left_s, _LOOK_AGAIN_S))
        return found

    def _covering(self, subject: str) -> list[History[Any]]:
        if subject not in self._by_subject:
            self._by_subject[subject] = [one for one in self.histories if one.topic.covers(subject)]
        return self._by_subject[subject]
