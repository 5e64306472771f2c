"""The tracks of a frame, collected until its notice says that they are complete."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from pydantic_core import from_json

from qiki.contracts.headers import FRAME, RUN, FrameOrigin, Message
from qiki.contracts.radar import TrackedFrame

FrameKey = tuple[str, str]
"""Run and number, as headers have them."""
WAITING = 64
"""Frames whose tracks may wait for their notice, or the other way round: streams are read beside each other."""
BEHIND = 20_000
"""Frames that tracks may be behind: half an hour of a bridge that was away."""


@dataclass(frozen=True, slots=True)
class SeenTrack:
    """What a picture shows of a track; position [m] and velocity [m/s] are relative to the vehicle."""

    track_id: str
    status: int
    iff: int
    quality: float
    position: Mapping[str, float]
    velocity: Mapping[str, float]

    @classmethod
    def read(cls, body: bytes) -> Self:
        """Read a track message past the contract's model, which takes four times as long.

        Raises:
            ValueError, LookupError, TypeError: it is no track, or has no position or velocity.
        """
        fields = from_json(body)
        return cls(*(fields[name] for name in ("track_id", "status", "iff", "quality", "position", "velocity")))


@dataclass
class _Collected:
    tracks: dict[str, SeenTrack] = field(default_factory=dict)
    announced: int | None = None


@dataclass(frozen=True, slots=True)
class FrameTracks:
    """The tracks of one frame, with the vehicle's own state at its time."""

    own: FrameOrigin
    tracks: tuple[SeenTrack, ...]


class TrackCollector:
    """Collects track messages by frame.

    A frame is complete once its notice and as many tracks as it announces have come, in any order. A frame that lacks
    some is forgotten when later ones wait; so are the tracks of a frame whose own message has not come.
    """

    def __init__(self) -> None:
        self._own: dict[FrameKey, FrameOrigin] = {}
        self._waiting: dict[FrameKey, _Collected] = {}

    def add_frame(self, own: FrameOrigin) -> None:
        """Remember the own state at a frame."""
        self._own[own.run, str(own.frame)] = own
        _forget(self._own, BEHIND)

    def add_track(self, message: Message) -> FrameTracks | None:
        """Add a track; return those of its frame if they are complete now."""
        track = SeenTrack.read(message.body)
        key = (message.headers[RUN], message.headers[FRAME])
        self._of(key).tracks[track.track_id] = track
        return self._complete(key)

    def add_notice(self, message: Message) -> FrameTracks | None:
        """Add the notice of a frame; return its tracks if they are complete now."""
        notice = TrackedFrame.from_json(message.body)
        key = (notice.run_id, str(notice.frame))
        self._of(key).announced = notice.tracks
        return self._complete(key)

    def _of(self, key: FrameKey) -> _Collected:
        found = self._waiting.setdefault(key, _Collected())
        _forget(self._waiting, WAITING)
        return found

    def _complete(self, key: FrameKey) -> FrameTracks | None:
        collected, own = self._waiting[key], self._own.get(key)
        if own is None or collected.announced is None or len(collected.tracks) < collected.announced:
            return None
        del self._waiting[key]
        return FrameTracks(own, tuple(collected.tracks.values()))


def _forget(frames: dict[FrameKey, Any], most: int) -> None:
    """Remove the oldest frames, until so many are left."""
    while len(frames) > most:
        del frames[next(iter(frames))]
