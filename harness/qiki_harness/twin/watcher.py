"""`Watcher`: the histories of a stack, and waits for what is to come into them."""

import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Protocol, TypeVar

from qiki.contracts import topics
from qiki.contracts.enums import RadarRangeBand
from qiki.contracts.radar import RadarFrame
from qiki.contracts.topics import FRAMES_BY_BAND, Topic
from qiki_harness.twin.backing import Backing
from qiki_harness.twin.history import InterruptedWaitError, Ledger, nearest
from qiki_harness.twin.records import DeadLetter, Event, Record
from qiki_harness.twin.where import Where, noun
from qiki_harness.twin.wire import Wire

P = TypeVar("P")
T = TypeVar("T")
Asked = Where[P] | Callable[[P], bool] | None
Moment = Mapping[str, int]

DEADLINE_S = 60.0
_WHOLE = RadarRangeBand.RR_UNSPECIFIED


class _History(Protocol[P]):
    def __call__(self, where: Asked[P] = None, *, after: Moment | None = None, **fields: object) -> list[Record[P]]: ...


class _Wait(Protocol[P]):
    def __call__(
        self, where: Asked[P] = None, *, after: Moment | None = None, deadline_s: float = DEADLINE_S, **fields: object
    ) -> Record[P]: ...


class Watcher:
    """Histories, and waits for more.

    `where` is a condition of `qiki_harness.twin.where`, or a function of the payload; fields may be given beside it or
    instead. A wait is over at once where what it wants has passed already: `after=twin.now()` asks for something new.

    Every topic has `history` and `await_message`. The usual ones have names of their own, as `tracks` and
    `await_track`, which take the same arguments but for the topic.
    """

    def __init__(self, backing: Backing, ledger: Ledger, wire: Wire) -> None:
        self.backing = backing
        self._ledger = ledger
        self._wire = wire
        self._interrupted = threading.Event()
        self.tracks, self.await_track = self._named(topics.TRACKS)
        self.tracked_frames, self.await_tracked_frame = self._named(topics.TRACKED)
        self.estimates, self.await_estimates = self._named(topics.ESTIMATES)
        self.telemetry, self.await_telemetry = self._named(topics.TELEMETRY)
        self.truth, self.await_truth = self._named(topics.TRUTH)
        self.acknowledgements, self.await_acknowledgement = self._named(topics.RESPONSES)
        self.agent_states, self.await_agent_state = self._named(topics.AGENT_STATE)
        events: Topic[Event] = topics.EVENTS
        self.events, self.await_event = self._named(events)
        dead_letters: Topic[DeadLetter] = topics.DEAD_LETTERS
        self.dead_letters, self.await_dead_letter = self._named(dead_letters)

    @property
    def topics(self) -> tuple[Topic[Any], ...]:
        """Those that have a history."""
        return self._ledger.topics

    def now(self) -> Moment:
        """Return the present moment, for `after`."""
        return self._ledger.mark()

    def forget(self) -> None:
        """Empty the histories, before another run on the same stack; moments before this are void."""
        self._ledger.clear()

    def history(
        self, topic: Topic[P], where: Asked[P] = None, *, after: Moment | None = None, **fields: object
    ) -> list[Record[P]]:
        """Return the records of a topic that meet a condition, in the order of their arrival."""
        condition = noun(topic).that(where, fields)
        begin = after[topic.subject] if after else 0
        return [record for record in self._ledger.history(topic, begin) if condition(record)]

    def await_message(
        self,
        topic: Topic[P],
        where: Asked[P] = None,
        *,
        after: Moment | None = None,
        deadline_s: float = DEADLINE_S,
        **fields: object,
    ) -> Record[P]:
        """Wait for the first record of a topic that meets a condition.

        Raises:
            AwaitedError: none came in time.
        """
        __tracebackhide__ = True
        condition = noun(topic).that(where, fields)
        begin = looked_at = after[topic.subject] if after else 0

        def look() -> Record[P] | None:
            nonlocal looked_at
            begin_at, looked_at = looked_at, self._ledger.came(topic)
            return next((record for record in self._ledger.history(topic, begin_at) if condition(record)), None)

        found = self._wait(look, deadline_s, topic)
        if found is None:
            headline = f"waited {deadline_s:g} s for {condition}: none came"
            instead = nearest(condition, self._ledger.history(topic, begin), topic.noun)
            raise self._ledger.failure(headline, instead, self.backing)
        return found

    def frames(
        self,
        where: Asked[RadarFrame] = None,
        *,
        band: RadarRangeBand = _WHOLE,
        after: Moment | None = None,
        **fields: object,
    ) -> list[Record[RadarFrame]]:
        """Return frames: with all detections, or those on the subject of one band."""
        return self.history(FRAMES_BY_BAND[band], where, after=after, **fields)

    def await_frame(
        self,
        where: Asked[RadarFrame] = None,
        *,
        band: RadarRangeBand = _WHOLE,
        after: Moment | None = None,
        deadline_s: float = DEADLINE_S,
        **fields: object,
    ) -> Record[RadarFrame]:
        """Wait for the first such frame."""
        __tracebackhide__ = True
        return self.await_message(FRAMES_BY_BAND[band], where, after=after, deadline_s=deadline_s, **fields)

    def await_until(self, text: str, look: Callable[[], T | None], deadline_s: float = DEADLINE_S) -> T:
        """Wait until what `look` returns is true; return it.

        Args:
            text: what is awaited, for the message of a failure: "until …"
            look: called whenever something has come, and ten times a second
            deadline_s: [s]

        Raises:
            AwaitedError: it was never true.
        """
        __tracebackhide__ = True
        result = self._wait(lambda: look() or None, deadline_s)
        if result is None:
            raise self._ledger.failure(f"waited {deadline_s:g} s until {text}: never so", (), self.backing)
        return result

    def interrupt(self) -> None:
        """End all waits, from another thread or a signal handler: they and later ones raise InterruptedWaitError."""
        self._interrupted.set()
        self._ledger.wake()

    def check_interrupted(self) -> None:
        """End work that does not wait, if it is interrupted.

        Raises:
            InterruptedWaitError: `interrupt` was called.
        """
        if self._interrupted.is_set():
            raise InterruptedWaitError("interrupted")

    def _wait(self, look: Callable[[], T | None], deadline_s: float, topic: Topic[Any] | None = None) -> T | None:
        def checked() -> T | None:
            self.check_interrupted()
            self._wire.check()
            return look()

        return self._ledger.wait(checked, deadline_s, topic)

    def _named(self, topic: Topic[P]) -> tuple[_History[P], _Wait[P]]:
        return partial(self.history, topic), partial(self.await_message, topic)
