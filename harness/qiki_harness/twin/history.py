"""What has passed: a history for each kind of record, written by the wire's thread, read by the test's."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar

from qiki.contracts import topics
from qiki.contracts.agent import AgentState
from qiki.contracts.models import (
    ControlAck,
    Payload,
    RadarFrame,
    RadarTrack,
    TelemetrySnapshot,
    TrackedFrame,
    TruthSnapshot,
)
from qiki_harness.twin import where
from qiki_harness.twin.records import DeadLetter, Event, Record, read_dead_letter, read_event
from qiki_harness.twin.where import Noun, Where

P = TypeVar("P")
T = TypeVar("T")
M = TypeVar("M", bound=Payload)

_LOOK_AGAIN_S = 0.1  # conditions may look beyond the histories: at a metric, at the state of a service


@dataclass(eq=False)
class History(Generic[P]):
    """Records of one kind, in the order of their arrival.

    Attributes:
        name: in the plural
    """

    name: str
    noun: Noun[P]
    read: Callable[[Record[P]], P]
    records: list[Record[P]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.records)

    def matching(self, condition: Where[P], begin: int = 0) -> Iterator[Record[P]]:
        """Those that meet a condition."""
        return (record for record in self.records[begin:] if condition(record))


def _as(model: type[M]) -> Callable[[Record[M]], M]:
    return lambda record: model.from_json(record.body)


class Ledger:
    """All histories, and who waits for them to grow.

    Attributes:
        breaks: when the connection broke; what passed meanwhile and is not kept is missing
    """

    def __init__(self) -> None:
        self.frames: History[RadarFrame] = History("frames", where.frame, _as(RadarFrame))
        self.frames_lr: History[RadarFrame] = History("long-range frames", where.frame, _as(RadarFrame))
        self.frames_sr: History[RadarFrame] = History("short-range frames", where.frame, _as(RadarFrame))
        self.tracks: History[RadarTrack] = History("track messages", where.track, _as(RadarTrack))
        self.tracked: History[TrackedFrame] = History("tracked frames", where.tracked, _as(TrackedFrame))
        self.events: History[Event] = History("events", where.event, read_event)
        self.dead_letters: History[DeadLetter] = History("dead letters", where.dead_letter, read_dead_letter)
        self.telemetry: History[TelemetrySnapshot] = History("telemetry", where.telemetry, _as(TelemetrySnapshot))
        self.truth: History[TruthSnapshot] = History("truth", where.truth, _as(TruthSnapshot))
        self.acks: History[ControlAck] = History("acknowledgements", where.acknowledgement, _as(ControlAck))
        self.agent: History[AgentState] = History("agent states", where.agent, _as(AgentState))
        self._by_subject: dict[str, History[Any]] = {
            topics.FRAMES.subject: self.frames,
            topics.FRAMES_LR.subject: self.frames_lr,
            topics.FRAMES_SR.subject: self.frames_sr,
            topics.TRACKS.subject: self.tracks,
            topics.TRACKED.subject: self.tracked,
            topics.TELEMETRY.subject: self.telemetry,
            topics.TRUTH.subject: self.truth,
            topics.RESPONSES.subject: self.acks,
            topics.AGENT_STATE.subject: self.agent,
        }
        self.breaks: list[datetime] = []
        self._changed = threading.Condition()

    @property
    def histories(self) -> tuple[History[Any], ...]:
        """All of them."""
        return (*self._by_subject.values(), self.events, self.dead_letters)

    def add(self, subject: str, body: bytes, headers: Mapping[str, str] | None, sequence: int = 0) -> None:
        """Take down a message."""
        history = self._history(subject)
        if history is not None:
            history.records.append(Record(subject, body, headers or {}, sequence, history.read))
            self.wake()

    def wake(self) -> None:
        """Let those who wait look again."""
        with self._changed:
            self._changed.notify_all()

    def clear(self) -> None:
        """Empty all."""
        for history in self.histories:
            history.records.clear()

    def mark(self) -> Mapping[str, int]:
        """The present moment: how long each history is."""
        return {history.name: len(history) for history in self.histories}

    def wait(self, look: Callable[[], T | None], deadline_s: float) -> T | None:
        """Look whenever something has come, until there is a result; None at the deadline."""
        end_s = time.monotonic() + deadline_s
        while (found := look()) is None and (left_s := end_s - time.monotonic()) > 0:
            with self._changed:
                self._changed.wait(min(left_s, _LOOK_AGAIN_S))
        return found

    def _history(self, subject: str) -> History[Any] | None:
        if subject.startswith("qiki.events."):
            return self.events
        if subject.startswith("qiki.dlq."):
            return self.dead_letters
        return self._by_subject.get(subject)
