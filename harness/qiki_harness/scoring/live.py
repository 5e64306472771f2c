"""A running stack to be scored: its truth, frames and tracks, put together frame by frame."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from datetime import timedelta
from typing import Any

import numpy as np

from qiki.agent.perception.frames import Assembly, Received, WholeFrame
from qiki.arrays import Array
from qiki.contracts import topics
from qiki.contracts.fields import Vector
from qiki.contracts.models import RadarFrame, RadarTrack, TruthSnapshot
from qiki.geometry import unit_vectors
from qiki.runtime.stream import Begin
from qiki_harness.errors import DeadlineError, HarnessError
from qiki_harness.scoring.believed import believed
from qiki_harness.scoring.records import ScanRecord, Tracks, Truth, symmetric
from qiki_harness.twin import AwaitedError, ForeignStack, Record
from qiki_harness.twin.history import Ledger
from qiki_harness.twin.watcher import Watcher
from qiki_harness.twin.where import above
from qiki_harness.twin.wire import Wire

TOPICS = (topics.TRUTH, topics.FRAMES, topics.TRACKS, topics.TRACKED)
_CONNECT_S = 5.0
_SILENT_S = 10.0


def listen(url: str, seconds: float, reach_m: float) -> list[ScanRecord]:
    """Return the frames of `seconds` of event time, or of what is left of the run.

    Args:
        url: of NATS
        seconds: [s]
        reach_m: contacts beyond it are not asked for

    Raises:
        HarnessError: NATS does not answer, or no frame came with all that belongs to it.
    """
    ledger = Ledger(TOPICS)
    with closing(Wire(url, ledger, Begin.NEW)) as wire:
        try:
            wire.open(_CONNECT_S, _CONNECT_S)
        except DeadlineError as error:
            raise HarnessError(f"no NATS server answers at {url}: {error}") from None
        watcher = Watcher(ForeignStack({"NATS_URL": url}), ledger, wire)
        await_span(watcher, seconds)
    if records := records_of(watcher, reach_m):
        return records
    raise HarnessError(f"no frame with its truth and tracks came from {url}: is the simulation running?")


def await_span(watcher: Watcher, seconds: float, silent_s: float = _SILENT_S) -> None:
    """Wait until so much event time has passed in the first run; not for ever where it stands still or ends."""
    with suppress(AwaitedError):
        first = watcher.await_truth(_readable, deadline_s=silent_s).data
        newest = first
        while newest.run_id == first.run_id and newest.timestamp - first.timestamp < timedelta(seconds=seconds):
            newest = watcher.await_truth(_readable, after=watcher.now(), deadline_s=silent_s).data


def records_of(watcher: Watcher, reach_m: float) -> list[ScanRecord]:
    """Return the frames of the first run of which all has come, in order."""
    first = next((record.data for record in watcher.truth(_readable)), None)
    if first is None:
        return []
    truth = {record.data.frame: record.data for record in watcher.truth(_readable, run_id=first.run_id)}
    frames = {record.frame: record.data for record in watcher.frames(_readable, run=first.run_id, frame=above(-1))}
    records = []
    for whole in _whole_frames(watcher, first.run_id):
        number = whole.frame.frame
        if number in truth and number in frames:
            t_s = (truth[number].timestamp - first.timestamp).total_seconds()
            tracks = [track for track, _ in whole.tracks.values()]
            records.append(_scan(truth[number], frames[number], tracks, t_s, reach_m))
    return records


def _whole_frames(watcher: Watcher, run: str) -> Iterator[WholeFrame]:
    """Yield the frames of which the tracker's notice and all tracks have come, in order."""
    tracks: dict[int, list[Record[RadarTrack]]] = defaultdict(list)
    for record in watcher.tracks(_readable, run=run, frame=above(-1)):
        tracks[record.frame].append(record)
    notices = watcher.tracked_frames(_readable, run=run, frame=above(-1))
    assembly = Assembly()
    for notice in sorted(notices, key=lambda one: one.frame):
        for track in tracks[notice.frame]:
            assembly.add_track(notice.frame, track.data, _received(track))
        if whole := assembly.add_notice(notice.data, 0, _received(notice)):
            yield whole


def _received(record: Record[Any]) -> Received:
    return Received(record.subject, record.sequence, record.came_s)


def _readable(_: object) -> bool:
    """Can be read."""
    return True


def _scan(
    truth: TruthSnapshot, frame: RadarFrame, tracks: Iterable[RadarTrack], t_s: float, reach_m: float
) -> ScanRecord:
    own_position, own_velocity = _vector(truth.bot.position), _vector(truth.bot.velocity)
    near = [one for one in truth.contacts if np.linalg.norm(_vector(one.position) - own_position) <= reach_m]
    range_m, bearing, elevation = (
        np.array([getattr(plot, name) for plot in frame.detections]) for name in ("range_m", "bearing_deg", "elev_deg")
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


def _tracks(tracks: Iterable[RadarTrack], own_position: Array, own_velocity: Array) -> Tracks:
    """Return those that are believed in, in world axes."""
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
