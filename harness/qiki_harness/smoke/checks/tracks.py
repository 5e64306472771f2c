"""The tracks that the bridge makes of the simulator's frames."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, TypeVar

from qiki.contracts.headers import RUN
from qiki.contracts.models import RadarFrame, RadarTrack, TrackedFrame
from qiki_harness.smoke.check import CheckFailedError, until
from qiki_harness.smoke.checks.radar import FRAMES, Series, of_simulator, place
from qiki_harness.twin import Record, Twin, UnreadableError
from qiki_harness.twin.watcher import Moment

P = TypeVar("P")

_FRAMES_S = 10.0
_TRACKED_S = 10.0


@dataclass(frozen=True, slots=True)
class Followed:
    """A frame and what came of it."""

    frame: Record[RadarFrame]
    tracked: Record[TrackedFrame]
    tracks: Sequence[Record[RadarTrack]]


def tracks(twin: Twin) -> str:
    """Check so many frames, the TrackedFrame of each, and the tracks that belong to it."""
    moment = twin.now()

    def frames() -> Series | None:
        came = of_simulator(twin.frames(after=moment))
        return came[:FRAMES] if len(came) >= FRAMES else None

    few = f"fewer than {FRAMES} frames came within {_FRAMES_S:g} s"
    followed = [_follow(twin, frame, moment) for frame in until(twin, frames, _FRAMES_S, few)]
    for one in followed:
        check(one)
    seen = check_seen(followed)
    delays_ms = [1e3 * (one.tracked.came_s - one.frame.came_s) for one in followed]
    return f"{FRAMES} frames with {seen}, all there {median(delays_ms):.0f} ms after the frame (median)"


def _follow(twin: Twin, frame: Record[RadarFrame], moment: Moment) -> Followed:
    """Wait for what comes of a frame.

    Raises:
        CheckFailedError: it did not come.
    """
    run, number = place(frame)

    def tracked_frame() -> Record[TrackedFrame] | None:
        return next(iter(_of(frame, twin.tracked_frames(after=moment))), None)

    untracked = f"frame {number} of run {run} is stored, but not tracked {_TRACKED_S:g} s later"
    tracked = until(twin, tracked_frame, _TRACKED_S, untracked)
    count = tracked.data.tracks

    def enough() -> tuple[list[Record[RadarTrack]]] | None:
        found = _of(frame, twin.tracks(after=moment))
        return (found,) if len(found) >= count else None

    few = UnreadableError(tracked, f"says that frame {number} gave {count} tracks, but not so many are stored")
    (found,) = until(twin, enough, _TRACKED_S, str(few))
    return Followed(frame, tracked, found)


def _of(frame: Record[Any], records: Sequence[Record[P]]) -> list[Record[P]]:
    """Return those that belong to a frame."""
    return [record for record in records if RUN in record.headers and place(record) == place(frame)]


def check(one: Followed) -> None:
    """Check that a frame, its TrackedFrame and its tracks belong together, and that each track is there once.

    Raises:
        CheckFailedError: they do not.
    """
    frame, tracked = one.frame.data, one.tracked.data
    if (tracked.frame_id, tracked.timestamp) != (frame.frame_id, frame.timestamp):
        raise UnreadableError(one.tracked, f"is not of frame {frame.frame_id} at {frame.timestamp}")
    if len(one.tracks) != tracked.tracks or len({track.message_id for track in one.tracks}) != tracked.tracks:
        raise UnreadableError(one.tracked, f"says {tracked.tracks} tracks, stored are {len(one.tracks)}")
    for record in one.tracks:
        if record.data.timestamp != frame.timestamp:
            raise UnreadableError(record, f"is not of {frame.timestamp}, the time of its frame")


def check_seen(followed: Sequence[Followed]) -> str:
    """Check that there are tracks where something is detected: a detection that belongs to none begins one.

    Raises:
        CheckFailedError: there is none in any frame.
    """
    detections = sum(len(one.frame.data.detections) for one in followed)
    count = sum(len(one.tracks) for one in followed)
    if detections and not count:
        raise CheckFailedError(f"{len(followed)} frames with {detections} detections gave no track")
    return f"{detections} detections gave {count} tracks"
