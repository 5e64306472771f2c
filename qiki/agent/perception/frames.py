"""Complete frames, assembled from messages that come in any order: the notice, tracks, estimates, guard's reports."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated
from uuid import UUID

from qiki.contracts.enums import RadarTrackStatus
from qiki.contracts.estimates import TrackEstimate, TrackEstimates
from qiki.contracts.events import Evidence
from qiki.contracts.radar import RadarTrack, TrackedFrame
from qiki.contracts.ticks import TICK_S
from qiki.state import IN_ORDER, State, Stateful

AGE_DIGITS = 6
KEPT_FRAMES = 300
KEPT_PARTS = 64_000
"""Tracks, estimates and guard reports of the incomplete frames of a run: those of four frames as large as can be."""
FALSE_JUMP = 5
"""Notices of frames that a jump passed over, after which it was false."""
TRUE_JUMP = 20
PATIENCE_FRAMES = 50
"""Frames that wait for the guard's reports of an earlier one: no alert may be passed over."""


@dataclass(frozen=True, slots=True)
class Received:
    """A message's place.

    Attributes:
        sequence: in its stream; None for a message that is not stored
        at_s: when it came, on the agent's clock
    """

    subject: str
    sequence: int | None
    at_s: float

    def age_s(self, now_s: float) -> float:
        """Return the time since it came."""
        return round(max(0.0, now_s - self.at_s), AGE_DIGITS)

    def evidence(self, now_s: float) -> Evidence:
        """Return the place as evidence."""
        return Evidence(subject=self.subject, sequence=self.sequence, age_s=self.age_s(now_s))


GuardKey = tuple[str, UUID, bool]
"""Of a report of the guard: rule, track, and whether it is an end."""
Seen = tuple[RadarTrack, Received]
Estimated = tuple[TrackEstimate, Received]


@dataclass(frozen=True, slots=True)
class WholeFrame:
    """A complete frame: with the message that announced its tracks and reports, and the tracks that are not lost.

    `estimates` are theirs, by track; none where they did not come.
    """

    frame: TrackedFrame
    notice: Received
    tracks: Mapping[UUID, Seen]
    estimates: Mapping[UUID, Estimated]


@dataclass(frozen=True, slots=True)
class Notice:
    """The notice of a frame: how many guard reports and parts of estimates belong to it."""

    frame: TrackedFrame
    alerts: int
    parts: int
    received: Received


@dataclass(slots=True)
class _FrameParts:
    """The messages of one frame so far, without duplicates."""

    notice: Notice | None = None
    tracks: dict[UUID, Seen] = field(default_factory=dict)
    estimates: dict[int, tuple[TrackEstimates, Received]] = field(default_factory=dict)
    guards: Annotated[set[GuardKey], IN_ORDER] = field(default_factory=set)
    weight: int = 1

    @property
    def has_guards(self) -> bool:
        return self.notice is not None and len(self.guards) >= self.notice.alerts

    @property
    def has_tracks(self) -> bool:
        return self.notice is not None and len(self.tracks) >= self.notice.frame.tracks

    @property
    def has_estimates(self) -> bool:
        return self.notice is not None and len(self.estimates) >= self.notice.parts

    def whole(self, notice: Notice) -> WholeFrame:
        """Return the frame with these parts."""
        present = {key: seen for key, seen in self.tracks.items() if seen[0].status is not RadarTrackStatus.LOST}
        estimates = {one.track_id: (one, place) for part, place in self.estimates.values() for one in part.tracks}
        return WholeFrame(notice.frame, notice.received, present, estimates)


@dataclass(slots=True)
class _Jump:
    """A jump of the newest frame over more than come late: from `before`, None for none, to the number `to`."""

    before: WholeFrame | None
    to: int
    behind: int = 0
    ahead: int = 0

    def passed_over(self, frame: int) -> bool:
        return (self.before.frame.frame if self.before else -1) < frame < self.to


class Assembly(Stateful):
    """The newest complete frame of one run, and later ones that still lack messages; earlier ones are dropped.

    One forged notice far ahead would make all later frames old: when notices of frames come that it passed over, the
    newest frame is the one before it again.

    Attributes:
        weight: number of the tracks, estimates and guard reports that are kept for incomplete frames
    """

    STATE = State(newest=WholeFrame | None, weight=int, _parts=dict[int, _FrameParts], _jump=_Jump | None)

    def __init__(self) -> None:
        self.newest: WholeFrame | None = None
        self.weight = 0
        self._parts: dict[int, _FrameParts] = {}
        self._jump: _Jump | None = None

    def add_notice(self, notice: Notice) -> WholeFrame | None:
        """Add the notice of a frame; return the frame that this completed.

        Raises:
            ValueError: its number is further ahead than its time allows.
        """
        _check_pace(self.newest, notice.frame)
        self._look_back(notice.frame.frame)
        if parts := self._open(notice.frame.frame):
            parts.notice = notice
        return self._advance()

    def _look_back(self, frame: int) -> None:
        """Undo a jump when the run continues from before it."""
        jump = self._jump
        if jump is None or not jump.passed_over(frame):
            return
        jump.behind += 1
        if jump.behind - jump.ahead >= FALSE_JUMP:
            self.newest, self._jump = jump.before, None
            self._parts, self.weight = {}, 0

    def add_track(self, frame: int, track: RadarTrack, received: Received) -> WholeFrame | None:
        """Add a track of a frame; return the frame that this completed."""
        if parts := self._open(frame):
            self._add(parts, 0 if track.track_id in parts.tracks else 1)
            parts.tracks[track.track_id] = track, received
        return self._advance()

    def add_estimates(self, estimates: TrackEstimates, received: Received) -> WholeFrame | None:
        """Add a part of a frame's estimates; return the frame that this completed."""
        if parts := self._open(estimates.frame):
            self._add(parts, 0 if estimates.part in parts.estimates else 1 + len(estimates.tracks))
            parts.estimates[estimates.part] = estimates, received
        return self._advance()

    def add_guard(self, frame: int, key: GuardKey) -> WholeFrame | None:
        """Add a report of the guard, identified by `key`; return the frame that this completed."""
        if parts := self._open(frame):
            self._add(parts, 0 if key in parts.guards else 1)
            parts.guards.add(key)
        return self._advance()

    def reached(self, frame: int) -> bool:
        """Return whether this frame, or a later one, is complete."""
        return self.newest is not None and self.newest.frame.frame >= frame

    def _open(self, frame: int) -> _FrameParts | None:
        """Return the parts of a frame; None when it does not matter any more."""
        if self.reached(frame):
            return None
        parts = self._parts.get(frame)
        if parts is None:
            parts = self._parts[frame] = _FrameParts()
            self.weight += parts.weight
        while len(self._parts) > KEPT_FRAMES or (self.weight > KEPT_PARTS and len(self._parts) > 1):
            oldest = next(one for one in self._parts if one != frame)  # by their coming: numbers may be forged
            self.weight -= self._parts.pop(oldest).weight
        return parts

    def _add(self, parts: _FrameParts, weight: int) -> None:
        parts.weight += weight
        self.weight += weight

    def _advance(self) -> WholeFrame | None:
        number = self._newest_complete()
        parts = self._parts.get(number)
        if parts is None or parts.notice is None:
            return None
        before, self.newest = self.newest, parts.whole(parts.notice)
        self._note_jump(before, number)
        self._parts = {later: parts for later, parts in self._parts.items() if later > number}
        self.weight = sum(parts.weight for parts in self._parts.values())
        return self.newest

    def _note_jump(self, before: WholeFrame | None, number: int) -> None:
        """Begin to watch for frames that the newest has passed over, or end it when enough have followed it."""
        if number - (before.frame.frame if before else -1) > PATIENCE_FRAMES:
            self._jump = _Jump(self._jump.before if self._jump else before, number)
        elif self._jump is not None:
            self._jump.ahead += 1
            if self._jump.ahead >= TRUE_JUMP:
                self._jump = None

    def _newest_complete(self) -> int:
        """Return the last complete frame before which no report of the guard is missing; -1 for none.

        A frame waits for its estimates until the notice of a later one has come.
        """
        noticed = sorted(number for number, parts in self._parts.items() if parts.notice)
        complete = -1
        for number in noticed:
            parts = self._parts[number]
            if not parts.has_guards and noticed[-1] - number < PATIENCE_FRAMES:
                break
            if parts.has_guards and parts.has_tracks and (parts.has_estimates or number < noticed[-1]):
                complete = number
        return complete


def _check_pace(newest: WholeFrame | None, frame: TrackedFrame) -> None:
    """Raise ValueError if a frame is further ahead of the newest than frames of a simulation can be."""
    if newest is None:
        return
    passed_s = (frame.timestamp - newest.frame.timestamp).total_seconds()
    missing = frame.frame - newest.frame.frame - 1
    if passed_s >= 0 and missing * TICK_S > passed_s:
        raise ValueError(f"frame: {frame.frame} is {missing + 1} frames and {passed_s:g} s after the newest")
