"""What must be true of every run, whatever happens to the services: asserted on what is stored."""

from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from typing import Any
from uuid import UUID

from generated.q_sim_api_pb2 import GetRadarFrameRequest
from qiki.contracts.enums import RadarRangeBand
from qiki.contracts.headers import FRAME_SOURCE, FRAME_TYPES, RANGE_BAND, TRACK_SOURCE, TRACK_TYPE
from qiki.contracts.ids import frame_message_id, run_frame_id, track_message_id
from qiki.contracts.models import RadarFrame
from qiki_harness.twin.records import Record
from qiki_harness.twin.twin import Twin
from qiki_harness.twin.watcher import Watcher

SHORT_RANGE_M = 5000.0
_WHOLE, _LONG, _SHORT = RadarRangeBand.RR_UNSPECIFIED, RadarRangeBand.RR_LR, RadarRangeBand.RR_SR
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
    tracked = twin.await_tracked_frame(run=run, frame=last, deadline_s=deadline_s).data
    twin.await_until(
        f"the {tracked.tracks} tracks of frame {last} have come",
        lambda: sum(1 for record in twin.tracks()[-tracked.tracks :] if record.frame == last) >= tracked.tracks,
        deadline_s,
    )
    return run, last


def check_frames(twin: Watcher, run: str, last: int) -> None:
    """Every frame of a run up to `last` is stored exactly once, in order, valid, on each of its subjects."""
    whole = [_check_frame(record, _WHOLE) for record in _of_run(twin, run, _WHOLE, last)]
    long = [_check_frame(record, _LONG) for record in _of_run(twin, run, _LONG, last)]
    short = [_check_frame(record, _SHORT) for record in _of_run(twin, run, _SHORT, last)]
    for frame, far, near in zip(whole, long, short, strict=True):
        assert far.detections == tuple(plot for plot in frame.detections if plot.range_m > SHORT_RANGE_M)
        assert near.detections == tuple(plot for plot in frame.detections if plot.range_m <= SHORT_RANGE_M)
    bands = {plot.range_band for frame in long for plot in frame.detections}
    assert bands <= {_LONG}, "a short-range detection on the long-range subject"
    bands = {plot.range_band for frame in short for plot in frame.detections}
    assert bands <= {_SHORT}, "a long-range detection on the short-range subject"
    assert not any(plot.transponder_id or plot.id_present for frame in long for plot in frame.detections)


def check_tracks(twin: Watcher, run: str, last: int) -> None:
    """Every frame of a run up to `last` has one TrackedFrame, and as many tracks as that says, each stored once."""
    said = {record.frame: record.data for record in twin.tracked_frames(run=run)}
    numbers = [record.frame for record in twin.tracked_frames(run=run)]
    assert numbers == list(range(last + 1)), _irregularity("tracked frames", numbers, last)
    tracks = twin.tracks(run=run)
    _unique(tracks)
    counts = Counter(record.frame for record in tracks)
    told = {number: frame.tracks for number, frame in said.items() if frame.tracks}
    assert dict(counts) == told, "the numbers of stored tracks are not those that the tracked frames say"
    for record in tracks:
        assert record.message_id == track_message_id(run, record.frame, str(record.data.track_id))
        assert record.data.timestamp == said[record.frame].timestamp
        assert (record.headers["ce-type"], record.headers["ce-source"]) == (TRACK_TYPE, TRACK_SOURCE)


def _of_run(twin: Watcher, run: str, band: RadarRangeBand, last: int) -> list[Record[RadarFrame]]:
    records = twin.frames(run=run, band=band)
    numbers = [record.frame for record in records]
    assert numbers == list(range(last + 1)), _irregularity(f"{band.name} frames", numbers, last)
    _unique(records)
    return records


def _check_frame(record: Record[RadarFrame], band: RadarRangeBand) -> RadarFrame:
    frame = record.data
    headers = record.headers
    assert frame.frame_id == run_frame_id(UUID(record.run), record.frame)
    assert record.message_id == headers["ce-id"] == frame_message_id(record.run, record.frame, band.name)
    assert headers[RANGE_BAND] == band.name
    assert (headers["ce-type"], headers["ce-source"]) == (FRAME_TYPES[band], FRAME_SOURCE)
    assert frame.ts_event == frame.timestamp
    return frame


def _unique(records: Iterable[Record[Any]]) -> None:
    repeated = [identity for identity, count in Counter(record.message_id for record in records).items() if count > 1]
    assert not repeated, f"stored more than once: {repeated[:5]}"


def _irregularity(what: str, numbers: list[int], last: int) -> str:
    """What is wrong with numbers that should be 0 to `last`, each once and in order."""
    counts = Counter(numbers)
    missing = [number for number in range(last + 1) if number not in counts]
    doubled = [number for number, count in counts.items() if count > 1]
    swapped = [number for before, number in pairwise(numbers) if number < before]
    return (
        f"{what} are not 0 to {last}, each once and in order: "
        f"missing {missing[:5]}, doubled {doubled[:5]}, out of order {swapped[:5]}, beyond {max(numbers, default=-1)}"
    )
