"""Whole frames out of messages that come in any order: the notice, the tracks, and what the guard said."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from qiki.agent.perception.evidence import Received
from qiki.contracts.enums import RadarTrackStatus
from qiki.contracts.models import RadarTrack, TrackedFrame

KEPT_FRAMES = 300
PATIENCE_FRAMES = 50
"""How many frames wait for what the guard said at one before them: an alert must not be passed over."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A track, and the message that told of it."""

    report: RadarTrack
    received: Received


@dataclass(frozen=True, slots=True)
class WholeFrame:
    """A frame that is there as a whole.

    Attributes:
        notice: the message that said what belongs to it
        tracks: by id, lost ones left out
    """

    frame: TrackedFrame
    notice: Received
    tracks: Mapping[UUID, Seen]


@dataclass(slots=True)
class _Part:
    """What came of one frame so far; what comes twice counts once."""

    notice: tuple[TrackedFrame, int, Received] | None = None
    tracks: dict[UUID, Seen] = field(default_factory=dict)
    guards: set[Hashable] = field(default_factory=set)

    @property
    def heard(self) -> bool:
        """Whether all that the guard said is there."""
        return self.notice is not None and len(self.guards) >= self.notice[1]

    @property
    def seen(self) -> bool:
        """Whether all tracks are there."""
        return self.notice is not None and len(self.tracks) >= self.notice[0].tracks


class Assembly:
    """The frames of one run: the newest whole one, and those after it that lack something still.

    An older frame that becomes whole late is of no use any more, and is not kept.
    """

    def __init__(self) -> None:
        self.newest: WholeFrame | None = None
        self._parts: dict[int, _Part] = {}

    def __len__(self) -> int:
        return len(self._parts)

    def add_notice(self, frame: TrackedFrame, alerts: int, received: Received) -> bool:
        """The notice of a frame; whether the newest whole frame is another now."""
        if part := self._part(frame.frame):
            part.notice = (frame, alerts, received)
        return self._advance()

    def add_track(self, frame: int, track: RadarTrack, received: Received) -> bool:
        """A track of a frame; whether the newest whole frame is another now."""
        if part := self._part(frame):
            part.tracks[track.track_id] = Seen(track, received)
        return self._advance()

    def add_guard(self, frame: int, key: Hashable) -> bool:
        """A guard message of a frame, told apart by `key`; whether the newest whole frame is another now."""
        if part := self._part(frame):
            part.guards.add(key)
        return self._advance()

    def reached(self, frame: int) -> bool:
        """Whether this frame, or one after it, is whole."""
        return self.newest is not None and self.newest.frame.frame >= frame

    def _part(self, frame: int) -> _Part | None:
        """Where to put what belongs to a frame; None when the frame does not matter any more."""
        if self.reached(frame):
            return None
        part = self._parts.setdefault(frame, _Part())
        if len(self._parts) > KEPT_FRAMES:
            del self._parts[min(self._parts)]
        return part

    def _advance(self) -> bool:
        number = self._newest_whole()
        part = self._parts.get(number)
        if part is None or part.notice is None:
            return False
        frame, _, received = part.notice
        there = {key: seen for key, seen in part.tracks.items() if _there(seen.report)}
        self.newest = WholeFrame(frame, received, there)
        self._parts = {later: part for later, part in self._parts.items() if later > number}
        return True

    def _newest_whole(self) -> int:
        """The last frame that is whole, and before which nothing is missing that the guard said; -1 for none."""
        noticed = sorted(number for number, part in self._parts.items() if part.notice)
        whole = -1
        for number in noticed:
            part = self._parts[number]
            if not part.heard and noticed[-1] - number < PATIENCE_FRAMES:
                break
            if part.heard and part.seen:
                whole = number
        return whole


def _there(report: RadarTrack) -> bool:
    return report.status is not RadarTrackStatus.LOST
