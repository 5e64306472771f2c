"""The tracks of a frame, collected until they are complete."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from pydantic_core import from_json

from qiki.contracts.headers import FRAME, RUN, FrameOrigin, Message
from qiki.contracts.radar import TrackedFrame

FrameKey = tuple[str, str]
"""Run and number, as headers have them."""
OWN, ANNOUNCED, WAITING = 10_000, 100_000, 500
"""Frames of which the own state, the notice, and tracks are kept until the rest has come.

Streams are read beside each other, and of what they have kept the short messages of one come long before the other's.
"""


@dataclass(frozen=True, slots=True)
class SeenTrack:
    """A track as a picture shows it; position [m] and velocity [m/s] are relative to the vehicle."""

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


@dataclass(frozen=True, slots=True)
class FrameTracks:
    """The tracks of one frame, with the vehicle's own state at its time."""

    own: FrameOrigin
    tracks: tuple[SeenTrack, ...]


class TrackCollector:
    """Collects the messages of a frame: its own, its tracks, and the notice of how many they are; in any order.

    A frame that lacks some of them is forgotten when many others wait.
    """

    def __init__(self) -> None:
        self._own: dict[FrameKey, FrameOrigin] = {}
        self._announced: dict[FrameKey, int] = {}
        self._tracks: dict[FrameKey, dict[str, SeenTrack]] = {}

    def add_frame(self, own: FrameOrigin) -> FrameTracks | None:
        """Add the own state at a frame; return the frame's tracks if they are complete now."""
        key = (own.run, str(own.frame))
        _keep(self._own, key, own, OWN)
        return self._complete(key)

    def add_track(self, message: Message) -> FrameTracks | None:
        """Add a track; return those of its frame if they are complete now."""
        track = SeenTrack.read(message.body)
        key = (message.headers[RUN], message.headers[FRAME])
        if key not in self._tracks:
            _keep(self._tracks, key, {}, WAITING)
        self._tracks[key][track.track_id] = track
        return self._complete(key)

    def add_notice(self, message: Message) -> FrameTracks | None:
        """Add the notice of a frame; return its tracks if they are complete now."""
        notice = TrackedFrame.from_json(message.body)
        key = (notice.run_id, str(notice.frame))
        _keep(self._announced, key, notice.tracks, ANNOUNCED)
        return self._complete(key)

    def _complete(self, key: FrameKey) -> FrameTracks | None:
        """Return and forget the tracks of a frame if nothing of it lacks."""
        own, announced, tracks = self._own.get(key), self._announced.get(key), self._tracks.get(key, {})
        if own is None or announced is None or len(tracks) < announced:
            return None
        for known in (self._own, self._announced, self._tracks):
            known.pop(key, None)
        return FrameTracks(own, tuple(tracks.values()))


def _keep(known: dict[FrameKey, Any], key: FrameKey, value: Any, most: int) -> None:
    """Put a value, and remove the oldest until so many are left."""
    known[key] = value
    while len(known) > most:
        del known[next(iter(known))]
