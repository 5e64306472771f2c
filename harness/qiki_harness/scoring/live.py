"""A running stack, listened to: truth, frames and tracks put together frame by frame."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from pydantic import ValidationError

from qiki.arrays import Array
from qiki.contracts import headers, topics
from qiki.contracts.fields import Vector
from qiki.contracts.models import RadarFrame, RadarTrack, TrackedFrame, TruthSnapshot
from qiki.geometry import unit_vectors
from qiki.runtime.nats import new_client
from qiki_harness.errors import HarnessError
from qiki_harness.scoring.believed import believed
from qiki_harness.scoring.records import ScanRecord, Tracks, Truth, symmetric

_SILENT_S = 10.0
_LOOK_AGAIN_S = 0.1


@dataclass
class _Heard:
    """What came of one frame."""

    truth: TruthSnapshot | None = None
    frame: RadarFrame | None = None
    tracked: TrackedFrame | None = None
    tracks: dict[str, RadarTrack] = field(default_factory=dict)

    @property
    def whole(self) -> bool:
        return bool(self.truth and self.frame and self.tracked and len(self.tracks) >= self.tracked.tracks)


class Listener:
    """Puts messages together by run and frame; the run whose truth comes first is the one that is scored.

    Args:
        reach_m: contacts beyond it are not asked for
    """

    def __init__(self, reach_m: float) -> None:
        self.run = ""
        self.ended = False
        self._reach_m = reach_m
        self._frames: dict[int, _Heard] = {}

    def take(self, subject: str, body: bytes, told: dict[str, str]) -> None:
        """Take one message; another run ends this one, and what cannot be read is left out."""
        try:
            if subject == topics.TRUTH.subject:
                self._take_truth(TruthSnapshot.from_json(body))
            elif subject == topics.TRACKED.subject:
                tracked = TrackedFrame.from_json(body)
                self._heard(tracked.run_id, tracked.frame).tracked = tracked
            elif subject == topics.TRACKS.subject:
                track = RadarTrack.from_json(body)
                self._of(told).tracks[str(track.track_id)] = track
            else:
                self._of(told).frame = RadarFrame.from_json(body)
        except (ValidationError, ValueError):
            return

    @property
    def records(self) -> list[ScanRecord]:
        """The frames of which all has come, in order."""
        records = []
        first: datetime | None = None
        for _, heard in sorted(self._frames.items()):
            if heard.whole and heard.truth and heard.frame:
                first = first or heard.truth.timestamp
                t_s = (heard.truth.timestamp - first).total_seconds()
                records.append(self._record(heard.truth, heard.frame, heard.tracks.values(), t_s))
        return records

    @property
    def span_s(self) -> float:
        """Event time between the first and the newest whole frame."""
        moments = [heard.truth.timestamp for heard in self._frames.values() if heard.whole and heard.truth]
        return (max(moments) - min(moments)).total_seconds() if moments else 0.0

    def _take_truth(self, truth: TruthSnapshot) -> None:
        self.run = self.run or truth.run_id
        self.ended |= truth.run_id != self.run
        self._heard(truth.run_id, truth.frame).truth = truth

    def _of(self, told: dict[str, str]) -> _Heard:
        return self._heard(told.get(headers.RUN, ""), int(told.get(headers.FRAME, -1)))

    def _heard(self, run: str, frame: int) -> _Heard:
        return self._frames.setdefault(frame, _Heard()) if run and run == self.run else _Heard()

    def _record(self, truth: TruthSnapshot, frame: RadarFrame, tracks: Iterable[RadarTrack], t_s: float) -> ScanRecord:
        own_position, own_velocity = _vector(truth.bot.position), _vector(truth.bot.velocity)
        near = [one for one in truth.contacts if np.linalg.norm(_vector(one.position) - own_position) <= self._reach_m]
        plots = frame.detections
        range_m, bearing, elevation = (
            np.array([getattr(plot, name) for plot in plots]) for name in ("range_m", "bearing_deg", "elev_deg")
        )
        sight = unit_vectors(np.radians(bearing), np.radians(elevation)).reshape(-1, 3)
        return ScanRecord(
            t_s,
            Truth(
                [one.id for one in near],
                _vectors(one.position for one in near),
                _vectors(one.velocity for one in near),
            ),
            _tracks(tracks, own_position, own_velocity),
            own_position + range_m[:, None] * sight,
        )


async def listen(url: str, seconds: float, reach_m: float) -> list[ScanRecord]:
    """The frames of `seconds` of event time, or until the run ends.

    Raises:
        HarnessError: nobody answers there, or nothing whole came.
    """
    listener, client = Listener(reach_m), new_client()

    async def take(message: Msg) -> None:
        listener.take(message.subject, message.data, dict(message.headers or {}))

    try:
        await client.connect(
            url, name="qiki score", connect_timeout=2, allow_reconnect=False, max_reconnect_attempts=1, error_cb=_ignore
        )
    except (NatsError, OSError) as error:
        raise HarnessError(f"no NATS server answers at {url}: {error}") from None
    try:
        for topic in (topics.TRUTH, topics.FRAMES, topics.TRACKS, topics.TRACKED):
            await client.subscribe(topic.subject, cb=take)
        await _until(listener, seconds)
    finally:
        await client.close()
    if records := listener.records:
        return records
    raise HarnessError(f"no frame with its truth and tracks came from {url}: is the simulation running?")


async def _until(listener: Listener, seconds: float) -> None:
    """Wait for the time to pass in the simulation; not for ever where it stands still."""
    loop = asyncio.get_running_loop()
    span_s, grown_at = -1.0, loop.time()
    while listener.span_s < seconds and not listener.ended:
        if listener.span_s > span_s:
            span_s, grown_at = listener.span_s, loop.time()
        if loop.time() - grown_at > _SILENT_S:
            return
        await asyncio.sleep(_LOOK_AGAIN_S)


async def _ignore(_: Exception) -> None:
    """What matters is raised."""


def _tracks(tracks: Iterable[RadarTrack], own_position: Array, own_velocity: Array) -> Tracks:
    """Those that are believed in, in world axes."""
    full = [
        track
        for track in tracks
        if track.position and track.velocity and track.position_covariance and track.velocity_covariance
    ]
    kept = [
        track
        for track, counts in zip(
            full, believed([one.status for one in full], [one.quality for one in full]), strict=True
        )
        if counts
    ]
    return Tracks(
        [str(track.track_id) for track in kept],
        _vectors(track.position for track in kept) + own_position,
        _vectors(track.velocity for track in kept) + own_velocity,
        symmetric(np.array([track.position_covariance for track in kept])),
        symmetric(np.array([track.velocity_covariance for track in kept])),
    )


def _vector(vector: Vector) -> Array:
    return np.array([vector.x, vector.y, vector.z], dtype=np.float64)


def _vectors(vectors: Iterable[Vector | None]) -> Array:
    return np.array([_vector(vector) for vector in vectors if vector], dtype=np.float64).reshape(-1, 3)
