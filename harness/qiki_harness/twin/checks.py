"""Checks of what must be true of every run, whatever happens to the services: on what is stored."""

from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from typing import Any, TypeVar
from uuid import UUID

from generated.q_sim_api_pb2 import GetRadarFrameRequest
from qiki.contracts.enums import RadarRangeBand, RadarTrackStatus
from qiki.contracts.headers import (
    ESTIMATES,
    ESTIMATES_TYPE,
    FRAME_SOURCE,
    FRAME_TYPES,
    RANGE_BAND,
    TRACK_SOURCE,
    TRACK_TYPE,
)
from qiki.contracts.ids import estimates_message_id, frame_message_id, run_frame_id, track_message_id
from qiki.contracts.radar import RadarFrame
from qiki.contracts.topics import FRAMES_BY_BAND
from qiki_harness.twin.records import Record
from qiki_harness.twin.twin import Twin
from qiki_harness.twin.watcher import Watcher

P = TypeVar("P")

SHORT_RANGE_M = 5000.0
_LONG, _SHORT = RadarRangeBand.RR_LR, RadarRangeBand.RR_SR
_RPC_S = 15.0


def settle(twin: Twin, deadline_s: float = 60.0) -> tuple[str, int]:
    """Wait until all that a held simulation has measured is stored and tracked.

    Returns:
        The run, and the number of its last frame.
    """
    __tracebackhide__ = True
    newest = twin.sim.GetRadarFrame(GetRadarFrameRequest(), wait_for_ready=True, timeout=_RPC_S).frame
    stored = twin.await_frame(frame_id=UUID(newest.frame_id.value), deadline_s=deadline_s)
    run, last = stored.run, stored.frame
    for band in (_LONG, _SHORT):
        twin.await_frame(run=run, frame=last, band=band, deadline_s=deadline_s)
    notice = twin.await_tracked_frame(run=run, frame=last, deadline_s=deadline_s)
    tracked, parts = notice.data, _parts(notice)
    twin.await_until(
        f"the {tracked.tracks} tracks of frame {last} have come",
        lambda: sum(1 for record in twin.tracks()[-tracked.tracks :] if record.frame == last) >= tracked.tracks,
        deadline_s,
    )
    if parts:
        twin.await_estimates(run=run, frame=last, part=parts, deadline_s=deadline_s)
    return run, last


def check_frames(
    twin: Watcher, run: str, last: int, first: int | None = None, threshold_m: float | None = SHORT_RANGE_M
) -> None:
    """Check that a run's frames are stored exactly once, in order, valid, on each of their subjects.

    Args:
        twin: the stack
        run: its run
        last: number of the last frame
        first: number of the first one of a part of the run, the rest of which does not count; None: the run is all of
            0 to `last`, and anything beyond is a fault
        threshold_m: where the short range ends; None where that is not known
    """
    bands = (_checked_frames(twin.frames(run=run, band=band), first, last, band) for band in FRAMES_BY_BAND)
    for whole, far, near in zip(*bands, strict=True):
        plots, far_plots, near_plots = (record.data.detections for record in (whole, far, near))
        _expect(far, "detections", far_plots, tuple(plot for plot in plots if plot.range_band == _LONG))
        _expect(near, "detections", near_plots, tuple(plot for plot in plots if plot.range_band == _SHORT))
        _expect(whole, "number of detections", len(plots), len(far_plots) + len(near_plots))
        if threshold_m is not None:
            ranges = [_LONG if plot.range_m > threshold_m else _SHORT for plot in plots]
            _expect(whole, "bands", [plot.range_band for plot in plots], ranges)


def check_tracks(twin: Watcher, run: str, last: int, first: int | None = None) -> None:
    """Check that frames, as of `check_frames`, have one TrackedFrame each, and the tracks that it announces, once."""
    notices = _part(twin.tracked_frames(run=run), first, last)
    _check_numbers("tracked frames", notices, first, last)
    tracked = {record.frame: record.data for record in notices}
    tracks = _part(twin.tracks(run=run), first, last)
    _check_unique(tracks)
    announced = {number: frame.tracks for number, frame in tracked.items() if frame.tracks}
    counts = dict(Counter(record.frame for record in tracks))
    assert counts == announced, "the numbers of stored tracks are not those that the tracked frames say"
    for record in tracks:
        _expect(record, "message id", record.message_id, track_message_id(run, record.frame, str(record.data.track_id)))
        _expect(record, "timestamp", record.data.timestamp, tracked[record.frame].timestamp)
        _expect(record, "ce-type", record.header("ce-type"), TRACK_TYPE)
        _expect(record, "ce-source", record.header("ce-source"), TRACK_SOURCE)


def check_estimates(twin: Watcher, run: str, last: int, first: int | None = None) -> None:
    """Check that frames, as of `check_frames`, have the estimates that they announce: those of the live tracks."""
    parts = _part(twin.estimates(run=run), first, last)
    _check_unique(parts)
    notices = _part(twin.tracked_frames(run=run), first, last)
    announced = {notice.frame: count for notice in notices if (count := _parts(notice))}
    counts = dict(Counter(part.frame for part in parts))
    assert counts == announced, "the numbers of stored estimates are not those that the tracked frames say"
    found: dict[int, list[UUID]] = {number: [] for number in announced}
    live: dict[int, list[UUID]] = {number: [] for number in announced}
    for part in parts:
        _expect(part, "message id", part.message_id, estimates_message_id(run, part.frame, part.data.part))
        _expect(part, "ce-type", part.header("ce-type"), ESTIMATES_TYPE)
        _expect(part, "frame", part.data.frame, part.frame)
        found[part.frame] += [one.track_id for one in part.data.tracks]
    for track in _part(twin.tracks(run=run), first, last):
        if track.frame in live and track.data.status is not RadarTrackStatus.LOST:
            live[track.frame].append(track.data.track_id)
    assert found == live, "the estimates are not those of the live tracks"


def _parts(notice: Record[Any]) -> int:
    return int(notice.headers.get(ESTIMATES, "0"))


def _checked_frames(
    frames: list[Record[RadarFrame]], first: int | None, last: int, band: RadarRangeBand
) -> list[Record[RadarFrame]]:
    """Return the frames of one band, each of which is as it should be by itself."""
    frames = _part(frames, first, last)
    _check_numbers(f"{band.name} frames", frames, first, last)
    _check_unique(frames)
    for record in frames:
        _expect(record, "frame id", record.data.frame_id, run_frame_id(UUID(record.run), record.frame))
        _expect(record, "message id", record.message_id, frame_message_id(record.run, record.frame, band.name))
        _expect(record, "ce-id", record.header("ce-id"), record.message_id)
        _expect(record, RANGE_BAND, record.header(RANGE_BAND), band.name)
        _expect(record, "ce-type", record.header("ce-type"), FRAME_TYPES[band])
        _expect(record, "ce-source", record.header("ce-source"), FRAME_SOURCE)
        _expect(record, "ts_event", record.data.ts_event, record.data.timestamp)
    return frames


def _part(records: list[Record[P]], first: int | None, last: int) -> list[Record[P]]:
    return records if first is None else [record for record in records if first <= record.frame <= last]


def _expect(record: Record[Any], what: str, seen: object, wanted: object) -> None:
    assert seen == wanted, f"{record.place}: {what}: {seen}, expected {wanted}"


def _check_unique(records: Iterable[Record[Any]]) -> None:
    repeated = [identity for identity, count in Counter(record.message_id for record in records).items() if count > 1]
    assert not repeated, f"stored more than once: {repeated[:5]}"


def _check_numbers(what: str, records: Iterable[Record[Any]], first: int | None, last: int) -> None:
    numbers = [record.frame for record in records]
    wanted = list(range(first or 0, last + 1))
    counts = Counter(numbers)
    missing = [number for number in wanted if number not in counts]
    doubled = [number for number, count in counts.items() if count > 1]
    swapped = [number for before, number in pairwise(numbers) if number < before]
    beyond = [number for number in numbers if number > last]
    assert numbers == wanted, (
        f"{what} are not {wanted[0]} to {last}, each once and in order: "
        f"missing {missing[:5]}, doubled {doubled[:5]}, out of order {swapped[:5]}, beyond {beyond[:5]}"
    )
