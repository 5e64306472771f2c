"""The contents of a recording, and what is missing in it; counted as it is written, or read again."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from pydantic import BaseModel, ConfigDict, ValidationError

from qiki.contracts import topics
from qiki.contracts.headers import Message
from qiki.contracts.radar import TrackedFrame
from qiki.contracts.sim import SimOrder, SimRun
from qiki.flight.digest import frame_of, run_of
from qiki_harness.recording.layout import Note

_FRAMED = frozenset(topic.subject for topic in (topics.FRAMES, topics.TRACKS, topics.TRACKED, topics.TRUTH))


class RunSummary(BaseModel):
    """One run: its scenario (empty where the description lacks), frames and orders, event time, and what is missing."""

    model_config = ConfigDict(frozen=True)

    run_id: str
    scenario: str
    seed: int | None
    frames: int
    first: int
    last: int
    orders: int
    begin_ns: int
    end_ns: int
    faults: tuple[str, ...]


class Summary(BaseModel):
    """A recording: messages and bytes by subject, breaks of the connection, log times, and its runs.

    `lost` is the number of times at which the broker lost messages that had come: a writer has counted them.
    """

    model_config = ConfigDict(frozen=True)

    counts: dict[str, int]
    sizes: dict[str, int]
    breaks: int
    lost: int = 0
    begin_ns: int
    end_ns: int
    runs: tuple[RunSummary, ...]


@dataclass
class RunContents:
    """One run.

    Attributes:
        described: the description that it follows from; None where it is missing
        orders: numbers
        frames, truths: numbers of the frames
        tracks: track messages of each frame, `announced` those that its notice tells of
        begin_ns, end_ns: event time of the first and the last frame
    """

    described: SimRun | None = None
    orders: set[int] = field(default_factory=set)
    frames: set[int] = field(default_factory=set)
    truths: set[int] = field(default_factory=set)
    tracks: Counter[int] = field(default_factory=Counter)
    announced: dict[int, int] = field(default_factory=dict)
    begin_ns: int = 0
    end_ns: int = 0

    def summary(self, run_id: str) -> RunSummary:
        """Return what is told of it."""
        scenario, seed = (
            (str(self.described.scenario.get("name")), self.described.seed) if self.described else ("", None)
        )
        span = min(self.frames, default=-1), max(self.frames, default=-1)
        times = self.begin_ns, self.end_ns
        return RunSummary(
            run_id=run_id, scenario=scenario, seed=seed, frames=len(self.frames), first=span[0], last=span[1],
            orders=len(self.orders), begin_ns=times[0], end_ns=times[1], faults=tuple(self._faults()),
        )  # fmt: skip

    def _faults(self) -> Iterator[str]:
        """Yield what is missing between the first and the last frame."""
        for noun, numbers in (("frames", self.frames), ("notices", set(self.announced)), ("truth", self.truths)):
            if missing := _gaps(sorted(numbers)):
                yield f"{noun} missing: {_text(missing)}"
        if short := sorted(frame for frame, count in self.announced.items() if self.tracks[frame] < count):
            yield f"tracks missing of frames {_text(_spans(short))}"
        if self.described is None:
            yield "description missing: the run cannot be flown again"
        if missing := _gaps([-1, *sorted(self.orders)]):
            yield f"orders missing: {_text(missing)}"


class Contents:
    """Counts what is put into a recording."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._sizes: Counter[str] = Counter()
        self._runs: dict[str, RunContents] = {}
        self._breaks = self._lost = self._begin_ns = self._end_ns = 0

    def add(self, message: Message, came_ns: int, event_ns: int) -> None:
        """Count a message; one that cannot be read counts as a message only."""
        self._counts[message.subject] += 1
        self._sizes[message.subject] += len(message.body)
        self._begin_ns = min(self._begin_ns or came_ns, came_ns)
        self._end_ns = max(self._end_ns, came_ns)
        try:
            self._add_to_run(message, event_ns)
        except (ValidationError, ValueError):
            return

    def note(self, note: Note) -> None:
        """Count a note."""
        self._breaks += note.kind == "break"
        self._lost += note.kind == "lost"

    def summary(self) -> Summary:
        """Return what was counted; a run without a frame is left out."""
        runs = (run.summary(run_id) for run_id, run in self._runs.items() if run.frames)
        return Summary(
            counts=dict(self._counts), sizes=dict(self._sizes), breaks=self._breaks, lost=self._lost,
            begin_ns=self._begin_ns, end_ns=self._end_ns, runs=tuple(runs),
        )  # fmt: skip

    def _add_to_run(self, message: Message, event_ns: int) -> None:
        if message.subject == topics.RUNS.subject:
            described = SimRun.from_json(message.body)
            self._run(str(described.run_id)).described = described
        elif message.subject == topics.ORDERS.subject:
            order = SimOrder.from_json(message.body)
            self._run(str(order.run_id)).orders.add(order.number)
        elif message.subject in _FRAMED and (number := frame_of(message)) is not None:
            _add_frame(self._run(run_of(message)), message, number, event_ns)

    def _run(self, run_id: str) -> RunContents:
        return self._runs.setdefault(run_id, RunContents())


def _add_frame(run: RunContents, message: Message, number: int, event_ns: int) -> None:
    if message.subject == topics.FRAMES.subject:
        run.frames.add(number)
        run.begin_ns = min(run.begin_ns or event_ns, event_ns)
        run.end_ns = max(run.end_ns, event_ns)
    elif message.subject == topics.TRUTH.subject:
        run.truths.add(number)
    elif message.subject == topics.TRACKS.subject:
        run.tracks[number] += 1
    else:
        run.announced[number] = TrackedFrame.from_json(message.body).tracks


Span = tuple[int, int]
"""First and last of consecutive numbers."""


def _gaps(numbers: list[int]) -> list[Span]:
    """Return what is missing between sorted numbers."""
    return [(one + 1, other - 1) for one, other in pairwise(numbers) if other - one > 1]


def _spans(numbers: list[int]) -> list[Span]:
    """Return sorted numbers as spans."""
    spans: list[Span] = []
    for number in numbers:
        begin = spans.pop()[0] if spans and spans[-1][1] == number - 1 else number
        spans.append((begin, number))
    return spans


def _text(spans: list[Span], most: int = 5) -> str:
    """Return spans as text: 3, 5 to 9."""
    texts = [str(a) if a == b else f"{a} to {b}" for a, b in spans[:most]]
    return ", ".join(texts) + (f" and {len(spans) - most} more gaps" if len(spans) > most else "")
