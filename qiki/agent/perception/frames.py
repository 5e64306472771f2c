"""Complete frames, assembled from messages that come in any order: the notice, the tracks, the guard's reports."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from qiki.contracts.enums import RadarTrackStatus
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


@dataclass(frozen=True, slots=True)
class WholeFrame:
    """A complete frame: with the message that announced its tracks and reports, and the tracks that are not lost."""

    frame: TrackedFrame
    notice: Received
    tracks: Mapping[UUID, Seen]


@dataclass(slots=True)
class _FrameParts:
    """The messages of one frame so far, without duplicates."""

    notice: tuple[TrackedFrame, int, Received] | None = None
    tracks: dict[UUID, Seen] = field(default_factory=dict)
    guards: set[Hashable] = field(default_factory=set)

    @property
    def has_guards(self) -> bool:
        return self.notice is not None and len(self.guards) >= self.notice[1]

    @property
    def has_tracks(self) -> bool:
        return self.notice is not None and len(self.tracks) >= self.notice[0].tracks


class Assembly:
    """The newest complete frame of one run, and later ones that still lack messages; earlier ones are dropped."""

    def __init__(self) -> None:
        self.newest: WholeFrame | None = None
        self._parts: dict[int, _FrameParts] = {}

    def add_notice(self, frame: TrackedFrame, alerts: int, received: Received) -> WholeFrame | None:
        """Add the notice of a frame; return the frame that this completed."""
        if parts := self._open(frame.frame):
            parts.notice = (frame, alerts, received)
        return self._advance()

    def add_track(self, frame: int, track: RadarTrack, received: Received) -> WholeFrame | None:
        """Add a track of a frame; return the frame that this completed."""
        if parts := self._open(frame):
            parts.tracks[track.track_id] = track, received
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
        frame, _, received = parts.notice
        present = {key: seen for key, seen in parts.tracks.items() if seen[0].status is not RadarTrackStatus.LOST}
        self.newest = WholeFrame(frame, received, present)
        self._parts = {later: parts for later, parts in self._parts.items() if later > number}
        return self.newest

    def _newest_complete(self) -> int:
        """Return the last complete frame before which no report of the guard is missing; -1 for none."""
        noticed = sorted(number for number, parts in self._parts.items() if parts.notice)
        complete = -1
        for number in noticed:
            parts = self._parts[number]
            if not parts.has_guards and noticed[-1] - number < PATIENCE_FRAMES:
                break
            if parts.has_guards and parts.has_tracks:
                complete = number
        return complete
