"""A running stack to be scored: its truth, frames and tracks, put together frame by frame."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np

from qiki.arrays import Array
from qiki.contracts import topics
from qiki.contracts.fields import Vector
from qiki.contracts.radar import RadarFrame, RadarTrack
from qiki.contracts.telemetry import TruthSnapshot
from qiki.geometry import unit_vectors
from qiki.runtime.stream import Begin
from qiki_harness.errors import HarnessError
from qiki_harness.scoring.records import ScanRecord, Tracks, Truth, split, symmetric
from qiki_harness.twin import AwaitedError, ForeignStack
from qiki_harness.twin.history import Ledger
from qiki_harness.twin.watcher import Moment, Watcher
from qiki_harness.twin.where import above
from qiki_harness.twin.wire import Wire, check_listening

TOPICS = (topics.TRUTH, topics.FRAMES, topics.TRACKS, topics.TRACKED)
_CONNECT_S = 5.0
_SILENT_S = 10.0


@dataclass(frozen=True, slots=True)
class ScoredFrame:
    """A frame with its truth and all tracks that the tracker announced."""

    truth: TruthSnapshot
    frame: RadarFrame
    tracks: Iterable[RadarTrack]


def listen(
    url: str,
    seconds: float,
    reach_m: float,
    progress: Callable[[float], None] = lambda _: None,
    keys: str | None = None,
) -> list[ScanRecord]:
    """Return the frames of `seconds` of event time, or of what is left of the run.

    Contacts beyond the reach are not asked for. `progress` is told how much has come [s]. `keys` is the folder of the
    credentials, an operator's: a viewer does not see the truth.

    Raises:
        HarnessError: NATS does not answer, or no frame came with all that belongs to it.
    """
    ledger = Ledger(TOPICS)
    with closing(Wire(url, ledger, Begin.NEW, keys=keys)) as wire:
        try:
            check_listening(url, _CONNECT_S)
            wire.open(_CONNECT_S, _CONNECT_S)
        except HarnessError as error:
            raise HarnessError(f"no NATS server answers at {url}: {error}") from None
        watcher = Watcher(ForeignStack({"NATS_URL": url}), ledger, wire)
        progress(0.0)
        await_span(watcher, seconds, progress=progress)
    if records := records_of(watcher, reach_m):
        return records
    raise HarnessError(f"no frame with its truth and tracks came from {url}: is the simulation running?")


def await_span(
    watcher: Watcher, seconds: float, silent_s: float = _SILENT_S, progress: Callable[[float], None] = lambda _: None
) -> None:
    """Wait for so much event time in the first run: until another begins, or no whole frame has come for `silent_s`."""
    with suppress(AwaitedError):
        first = watcher.await_truth(_readable, deadline_s=silent_s).data
        end = first.timestamp + timedelta(seconds=seconds)
        moment: Moment | None = None

        def reached() -> datetime | None:
            if watcher.truth(lambda truth: truth.run_id != first.run_id, after=moment):
                return end
            return max((whole.truth.timestamp for whole in whole_frames(watcher, first.run_id, moment)), default=None)

        while (at := watcher.await_until("a whole frame has come", reached, silent_s)) < end:
            progress((at - first.timestamp).total_seconds())
            moment = watcher.now()


def records_of(watcher: Watcher, reach_m: float) -> list[ScanRecord]:
    """Return the frames of the first run of which all has come, in order."""
    first = next((record.data for record in watcher.truth(_readable)), None)
    frames = whole_frames(watcher, first.run_id) if first else []
    return [
        scan_record(whole, (whole.truth.timestamp - frames[0].truth.timestamp).total_seconds(), reach_m)
        for whole in frames
    ]


def whole_frames(watcher: Watcher, run: str, after: Moment | None = None) -> list[ScoredFrame]:
    """Return the frames of a run of which all has come, in order."""
    truth = {record.data.frame: record.data for record in watcher.truth(after=after, run_id=run)}
    place: dict[str, Any] = {"after": after, "run": run, "frame": above(-1)}
    frames = {record.frame: record.data for record in watcher.frames(_readable, **place)}
    tracks: dict[int, dict[UUID, RadarTrack]] = defaultdict(dict)
    for record in watcher.tracks(_readable, **place):
        tracks[record.frame][record.data.track_id] = record.data
    notices = watcher.tracked_frames(_readable, **place)
    announced = {record.frame: record.data.tracks for record in notices}
    return [
        ScoredFrame(truth[number], frames[number], tracks[number].values())
        for number in sorted(announced.keys() & truth.keys() & frames.keys())
        if len(tracks[number]) >= announced[number]
    ]


def _readable(_: object) -> bool:
    """Can be read."""
    return True


def scan_record(whole: ScoredFrame, t_s: float, reach_m: float) -> ScanRecord:
    """Return what is scored of a frame at a time since the first one; contacts beyond the reach do not count."""
    bot, plots = whole.truth.bot, whole.frame.detections
    own_position, own_velocity = _vectors([bot.position])[0], _vectors([bot.velocity])[0]
    position, velocity = (
        _vectors(getattr(one, name) for one in whole.truth.contacts) for name in ("position", "velocity")
    )
    near = np.flatnonzero(np.linalg.norm(position - own_position, axis=1) <= reach_m)
    range_m, bearing, elevation = (
        np.array([getattr(plot, name) for plot in plots]) for name in ("range_m", "bearing_deg", "elev_deg")
    )
    sight = unit_vectors(np.radians(bearing), np.radians(elevation)).reshape(-1, 3)
    complete = [
        one
        for one in whole.tracks
        if one.position and one.velocity and one.position_covariance and one.velocity_covariance
    ]
    tracks = _tracks(complete, own_position, own_velocity)
    sure, doubted = split(tracks, [one.status for one in complete], tracks.existence)
    return ScanRecord(
        t_s,
        Truth([whole.truth.contacts[row].id for row in near], position[near], velocity[near]),
        sure,
        own_position + range_m[:, None] * sight,
        own_position,
        doubted,
    )


def _tracks(tracks: Sequence[RadarTrack], own_position: Array, own_velocity: Array) -> Tracks:
    """Return tracks in world axes."""
    return Tracks(
        [str(track.track_id) for track in tracks],
        _vectors(track.position for track in tracks) + own_position,
        _vectors(track.velocity for track in tracks) + own_velocity,
        symmetric(np.array([track.position_covariance for track in tracks])),
        symmetric(np.array([track.velocity_covariance for track in tracks])),
        np.array([track.quality for track in tracks], dtype=np.float64),
    )


def _vectors(vectors: Iterable[Vector | None]) -> Array:
    rows = [(vector.x, vector.y, vector.z) for vector in vectors if vector]
    return np.array(rows, dtype=np.float64).reshape(-1, 3)
