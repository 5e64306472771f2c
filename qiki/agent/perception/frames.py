"""Complete frames, assembled from messages that come in any order: the notice, the tracks, the guard's reports."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from qiki.agent.perception.evidence import Received
from qiki.contracts.enums import RadarTrackStatus
from qiki.contracts.models import RadarTrack, TrackedFrame

KEPT_FRAMES = 300
PATIENCE_FRAMES = 50
"""How many frames wait for the guard's reports of an earlier one: no alert may be passed over."""

Seen = tuple[RadarTrack, Received]


@dataclass(frozen=True, slots=True)
class WholeFrame:
    """A complete frame.

    Attributes:
        notice: the message that announced how many tracks and reports belong to it
        tracks: by id, without lost ones
    """

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
        """Whether every report of the guard has come."""
        return self.notice is not None and len(self.guards) >= self.notice[1]

    @property
    def has_tracks(self) -> bool:
        """Whether every track has come."""
        return self.notice is not None and len(self.tracks) >= self.notice[0].tracks


class Assembly:
    """The frames of one run: the newest complete one, and later ones that still lack messages.

    A frame that is completed after a later one is not kept.
    """

    def __init__(self) -> None:
        self.newest: WholeFrame | None = None
        self._parts: dict[int, _FrameParts] = {}

    def __len__(self) -> int:
        return len(self._parts)

    def add_notice(self, frame: TrackedFrame, alerts: int, received: Received) -> bool:
        """Add the notice of a frame; return whether this completed one."""
        if parts := self._open(frame.frame):
            parts.notice = (frame, alerts, received)
        return self._advance()

    def add_track(self, frame: int, track: RadarTrack, received: Received) -> bool:
        """Add a track of a frame; return whether this completed one."""
        if parts := self._open(frame):
            parts.tracks[track.track_id] = track, received
        return self._advance()

    def add_guard(self, frame: int, key: Hashable) -> bool:
        """Add a report of the guard, identified by `key`; return whether this completed a frame."""
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

    def _advance(self) -> bool:
        number = self._newest_complete()
        parts = self._parts.get(number)
        if parts is None or parts.notice is None:
            return False
        frame, _, received = parts.notice
        present = {key: seen for key, seen in parts.tracks.items() if seen[0].status is not RadarTrackStatus.LOST}
        self.newest = WholeFrame(frame, received, present)
        self._parts = {later: parts for later, parts in self._parts.items() if later > number}
        return True

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
