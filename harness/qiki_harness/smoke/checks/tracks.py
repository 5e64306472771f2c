"""The tracks that the bridge makes of the simulator's frames."""

from collections.abc import Sequence
from statistics import median

from qiki.contracts.models import RadarFrame
from qiki_harness.smoke.check import CheckFailedError, until
from qiki_harness.smoke.checks.radar import FRAMES, first_frame
from qiki_harness.twin import Record, Twin
from qiki_harness.twin.checks import check_tracks

_TRACKED_S = 10.0


def tracks(twin: Twin) -> str:
    """Check so many frames, the TrackedFrame of each, and the tracks that belong to it."""
    moment = twin.now()
    begin = first_frame(twin, moment, "no frame came")
    run, first, last = begin.run, begin.frame, begin.frame + FRAMES - 1
    delays_ms = [1e3 * _delay_s(twin, run, number) for number in range(first, last + 1)]
    check_tracks(twin, run, last, first)
    frames = [one for one in twin.frames(run=run, after=moment) if one.frame <= last]
    seen = check_seen(frames, sum(1 for one in twin.tracks(run=run) if first <= one.frame <= last))
    return f"{FRAMES} frames with {seen}, all there {median(delays_ms):.0f} ms after the frame (median)"


def _delay_s(twin: Twin, run: str, number: int) -> float:
    """Wait until a frame is tracked; return how long that took.

    Raises:
        CheckFailedError: it is not.
    """
    frame, *_ = until(twin, lambda: twin.frames(run=run, frame=number), _TRACKED_S, f"frame {number} did not come")
    untracked = f"frame {number} of run {run} is stored, but not tracked {_TRACKED_S:g} s later"
    tracked, *_ = until(twin, lambda: twin.tracked_frames(run=run, frame=number), _TRACKED_S, untracked)
    count = tracked.data.tracks
    few = f"{tracked.place}: says that frame {number} gave {count} tracks, but not so many are stored"
    until(twin, lambda: len(twin.tracks(run=run, frame=number)) >= count, _TRACKED_S, few)
    return tracked.came_s - frame.came_s


def check_seen(frames: Sequence[Record[RadarFrame]], tracks: int) -> str:
    """Check that there are tracks where something is detected: a detection that belongs to none begins one.

    Raises:
        CheckFailedError: there is none in any frame.
    """
    detections = sum(len(frame.data.detections) for frame in frames)
    if detections and not tracks:
        raise CheckFailedError(f"{len(frames)} frames with {detections} detections gave no track")
    return f"{detections} detections gave {tracks} tracks"
