"""Complete frames, assembled from messages that come in any order: the notice, tracks, estimates, guard's reports."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from qiki.contracts.enums import RadarTrackStatus
from qiki.contracts.estimates import TrackEstimate, TrackEstimates
from qiki.contracts.events import Evidence
from qiki.contracts.radar import RadarTrack, TrackedFrame

AGE_DIGITS = 6
KEPT_FRAMES = 300
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
    guards: set[Hashable] = field(default_factory=set)

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


class Assembly:
    """The newest complete frame of one run, and later ones that still lack messages; earlier ones are dropped."""

    def __init__(self) -> None:
        self.newest: WholeFrame | None = None
        self._parts: dict[int, _FrameParts] = {}

    def add_notice(self, notice: Notice) -> WholeFrame | None:
        """Add the notice of a frame; return the frame that this completed."""
        if parts := self._open(notice.frame.frame):
            parts.notice = notice
        return self._advance()

    def add_track(self, frame: int, track: RadarTrack, received: Received) -> WholeFrame | None:
        """Add a track of a frame; return the frame that this completed."""
        if parts := self._open(frame):
            parts.tracks[track.track_id] = track, received
        return self._advance()

    def add_estimates(self, estimates: TrackEstimates, received: Received) -> WholeFrame | None:
        """Add a part of a frame's estimates; return the frame that this completed."""
        if parts := self._open(estimates.frame):
            parts.estimates[estimates.part] = estimates, received
        return self._advance()

    def add_guard(self, frame: int, key: Hashable) -> WholeFrame | None:
        """Add a report of the guard, identified by `key`; return the frame that this completed."""
        if parts := self._open(frame):
            parts.guards.add(key)
        return self._advance()

    def reached(self, frame: int) -> bool:
        """Return whether this frame, or a later one, is complete."""
        return self.newest is not None and self.newest.frame.frame >= frame

    def _open(self, frame: int) -> _FrameParts | None:
        """Return the parts of a frame; None when it does not matter any more."""
        if self.reached(frame):
            return None
        parts = self._parts.setdefault(frame, _FrameParts())
        if len(self._parts) > KEPT_FRAMES:
            del self._parts[min(self._parts)]
        return parts

    def _advance(self) -> WholeFrame | None:
        number = self._newest_complete()
        parts = self._parts.get(number)
        if parts is None or parts.notice is None:
            return None
        self.newest = parts.whole(parts.notice)
        self._parts = {later: parts for later, parts in self._parts.items() if later > number}
        return self.newest

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
