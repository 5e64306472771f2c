"""`Watcher`: the histories of a stack, and waits for what is to come into them."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from qiki.contracts.agent import AgentState
from qiki.contracts.enums import RadarRangeBand
from qiki.contracts.models import (
    ControlAck,
    RadarFrame,
    RadarTrack,
    TelemetrySnapshot,
    TrackedFrame,
    TruthSnapshot,
)
from qiki_harness.twin.backing import Backing
from qiki_harness.twin.failure import never_true, nothing_came
from qiki_harness.twin.history import History, Ledger
from qiki_harness.twin.records import DeadLetter, Event, Record
from qiki_harness.twin.where import Where
from qiki_harness.twin.wire import Wire

P = TypeVar("P")
T = TypeVar("T")
Asked = Where[P] | Callable[[P], bool] | None
Moment = Mapping[str, int]

DEADLINE_S = 60.0


class Watcher:
    """What has passed, and waits for more.

    `where` is a condition of `qiki_harness.twin.where`, or a function of the payload; fields may be given beside it or
    instead. A wait is over at once where what it wants has passed already: `after=twin.now()` asks for something new.
    """

    def __init__(self, backing: Backing, ledger: Ledger, wire: Wire) -> None:
        self._backing = backing
        self._ledger = ledger
        self._wire = wire

    def now(self) -> Moment:
        """The present moment, for `after`."""
        return self._ledger.mark()

    def forget(self) -> None:
        """Empty the histories: for who begins one run after another on a stack; moments before this are void."""
        self._ledger.clear()

    def frames(
        self,
        where: Asked[RadarFrame] = None,
        *,
        band: RadarRangeBand = RadarRangeBand.RR_UNSPECIFIED,
        after: Moment | None = None,
        **fields: object,
    ) -> list[Record[RadarFrame]]:
        """Frames as stored: with all detections, or on the subject of one band."""
        return self._seen(self._frames_of(band), where, after, fields)

    def tracks(
        self, where: Asked[RadarTrack] = None, *, after: Moment | None = None, **fields: object
    ) -> list[Record[RadarTrack]]:
        """Track messages as stored."""
        return self._seen(self._ledger.tracks, where, after, fields)

    def tracked_frames(
        self, where: Asked[TrackedFrame] = None, *, after: Moment | None = None, **fields: object
    ) -> list[Record[TrackedFrame]]:
        """What the tracker said of each frame, as stored."""
        return self._seen(self._ledger.tracked, where, after, fields)

    def events(
        self, where: Asked[Event] = None, *, after: Moment | None = None, **fields: object
    ) -> list[Record[Event]]:
        """Events as stored."""
        return self._seen(self._ledger.events, where, after, fields)

    def dead_letters(
        self, where: Asked[DeadLetter] = None, *, after: Moment | None = None, **fields: object
    ) -> list[Record[DeadLetter]]:
        """Dead letters as stored."""
        return self._seen(self._ledger.dead_letters, where, after, fields)

    def telemetry(
        self, where: Asked[TelemetrySnapshot] = None, *, after: Moment | None = None, **fields: object
    ) -> list[Record[TelemetrySnapshot]]:
        """Telemetry since the twin is connected."""
        return self._seen(self._ledger.telemetry, where, after, fields)

    def truth(
        self, where: Asked[TruthSnapshot] = None, *, after: Moment | None = None, **fields: object
    ) -> list[Record[TruthSnapshot]]:
        """Truth since the twin is connected."""
        return self._seen(self._ledger.truth, where, after, fields)

    def acknowledgements(
        self, where: Asked[ControlAck] = None, *, after: Moment | None = None, **fields: object
    ) -> list[Record[ControlAck]]:
        """Acknowledgements of commands, anybody's, since the twin is connected."""
        return self._seen(self._ledger.acks, where, after, fields)

    def agent_states(
        self, where: Asked[AgentState] = None, *, after: Moment | None = None, **fields: object
    ) -> list[Record[AgentState]]:
        """What the agent said of itself since the twin is connected."""
        return self._seen(self._ledger.agent, where, after, fields)

    def await_frame(
        self,
        where: Asked[RadarFrame] = None,
        *,
        band: RadarRangeBand = RadarRangeBand.RR_UNSPECIFIED,
        after: Moment | None = None,
        deadline_s: float = DEADLINE_S,
        **fields: object,
    ) -> Record[RadarFrame]:
        """The first such frame."""
        __tracebackhide__ = True
        return self._await(self._frames_of(band), where, after, deadline_s, fields)

    def await_track(
        self,
        where: Asked[RadarTrack] = None,
        *,
        after: Moment | None = None,
        deadline_s: float = DEADLINE_S,
        **fields: object,
    ) -> Record[RadarTrack]:
        """The first such track message."""
        __tracebackhide__ = True
        return self._await(self._ledger.tracks, where, after, deadline_s, fields)

    def await_tracked_frame(
        self,
        where: Asked[TrackedFrame] = None,
        *,
        after: Moment | None = None,
        deadline_s: float = DEADLINE_S,
        **fields: object,
    ) -> Record[TrackedFrame]:
        """The first such tracked frame."""
        __tracebackhide__ = True
        return self._await(self._ledger.tracked, where, after, deadline_s, fields)

    def await_event(
        self,
        where: Asked[Event] = None,
        *,
        after: Moment | None = None,
        deadline_s: float = DEADLINE_S,
        **fields: object,
    ) -> Record[Event]:
        """The first such event."""
        __tracebackhide__ = True
        return self._await(self._ledger.events, where, after, deadline_s, fields)

    def await_dead_letter(
        self,
        where: Asked[DeadLetter] = None,
        *,
        after: Moment | None = None,
        deadline_s: float = DEADLINE_S,
        **fields: object,
    ) -> Record[DeadLetter]:
        """The first such dead letter."""
        __tracebackhide__ = True
        return self._await(self._ledger.dead_letters, where, after, deadline_s, fields)

    def await_telemetry(
        self,
        where: Asked[TelemetrySnapshot] = None,
        *,
        after: Moment | None = None,
        deadline_s: float = DEADLINE_S,
        **fields: object,
    ) -> Record[TelemetrySnapshot]:
        """The first such telemetry."""
        __tracebackhide__ = True
        return self._await(self._ledger.telemetry, where, after, deadline_s, fields)

    def await_truth(
        self,
        where: Asked[TruthSnapshot] = None,
        *,
        after: Moment | None = None,
        deadline_s: float = DEADLINE_S,
        **fields: object,
    ) -> Record[TruthSnapshot]:
        """The first such truth."""
        __tracebackhide__ = True
        return self._await(self._ledger.truth, where, after, deadline_s, fields)

    def await_acknowledgement(
        self,
        where: Asked[ControlAck] = None,
        *,
        after: Moment | None = None,
        deadline_s: float = DEADLINE_S,
        **fields: object,
    ) -> Record[ControlAck]:
        """The first such acknowledgement."""
        __tracebackhide__ = True
        return self._await(self._ledger.acks, where, after, deadline_s, fields)

    def await_agent_state(
        self,
        where: Asked[AgentState] = None,
        *,
        after: Moment | None = None,
        deadline_s: float = DEADLINE_S,
        **fields: object,
    ) -> Record[AgentState]:
        """The first such state of the agent."""
        __tracebackhide__ = True
        return self._await(self._ledger.agent, where, after, deadline_s, fields)

    def await_until(self, words: str, look: Callable[[], T], deadline_s: float = DEADLINE_S) -> T:
        """Wait until what `look` returns is true; returns it.

        Args:
            words: what is awaited, for the message of a failure: "until …"
            look: called whenever something has come, and ten times a second
            deadline_s: [s]
        """
        __tracebackhide__ = True

        def found() -> T | None:
            self._wire.check()
            return look() or None

        result = self._ledger.wait(found, deadline_s)
        if result is None:
            raise never_true(words, deadline_s, self._ledger, self._backing)
        return result

    def _frames_of(self, band: RadarRangeBand) -> History[RadarFrame]:
        match band:
            case RadarRangeBand.RR_LR:
                return self._ledger.frames_lr
            case RadarRangeBand.RR_SR:
                return self._ledger.frames_sr
        return self._ledger.frames

    def _seen(
        self, history: History[P], where: Asked[P], after: Moment | None, fields: Mapping[str, object]
    ) -> list[Record[P]]:
        begin = after[history.name] if after else 0
        return list(history.matching(history.noun.that(where, fields), begin))

    def _await(
        self,
        history: History[P],
        where: Asked[P],
        after: Moment | None,
        deadline_s: float,
        fields: Mapping[str, object],
    ) -> Record[P]:
        __tracebackhide__ = True
        condition = history.noun.that(where, fields)
        begin = looked_at = after[history.name] if after else 0

        def look() -> Record[P] | None:
            nonlocal looked_at
            self._wire.check()
            came = len(history)
            found = next((record for record in history.records[looked_at:came] if condition(record)), None)
            looked_at = came
            return found

        found = self._ledger.wait(look, deadline_s)
        if found is None:
            raise nothing_came(condition, history, begin, deadline_s, self._ledger, self._backing)
        return found
