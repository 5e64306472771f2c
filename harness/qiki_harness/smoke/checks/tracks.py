"""What the bridge makes of the simulator's frames."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from qiki.contracts import topics
from qiki.contracts.headers import MESSAGE_ID, RUN
from qiki.contracts.models import RadarFrame, RadarTrack, TrackedFrame
from qiki_harness.smoke.check import CheckFailedError
from qiki_harness.smoke.checks.radar import FRAMES, of_simulator, place
from qiki_harness.smoke.inbox import Inbox, Message
from qiki_harness.smoke.payloads import header, read, wrong
from qiki_harness.smoke.session import Session

_FRAMES_S = 10.0
_TRACKED_S = 10.0


@dataclass(frozen=True, slots=True)
class Followed:
    """A frame and what came of it."""

    frame: Message
    tracked: Message
    tracks: list[Message]


async def tracks(session: Session) -> str:
    """So many frames, the TrackedFrame of each, and the tracks that it speaks of."""
    async with (
        session.following(topics.QIKI_TRACKER_V1, topics.TRACKED.subject) as told,
        session.following(topics.QIKI_RADAR_V1, topics.FRAMES.subject, topics.TRACKS.subject) as radar,
    ):
        frames = await radar.until(_frames, _FRAMES_S)
        if frames is None:
            raise CheckFailedError(f"fewer than {FRAMES} frames came within {_FRAMES_S:g} s")
        followed = [await _follow(frame, told, radar) for frame in frames]
    for one in followed:
        check(one)
    seen = check_seen(followed)
    delays_ms = [1e3 * (one.tracked.came_s - one.frame.came_s) for one in followed]
    return f"{FRAMES} frames with {seen}, all there {median(delays_ms):.0f} ms after the frame (median)"


def _frames(messages: Sequence[Message]) -> list[Message] | None:
    frames = of_simulator(messages, topics.FRAMES.subject)
    return frames[:FRAMES] if len(frames) >= FRAMES else None


async def _follow(frame: Message, told: Inbox, radar: Inbox) -> Followed:
    """Wait for what comes of a frame.

    Raises:
        CheckFailedError: it did not come.
    """
    run, number = place(frame)
    tracked = await told.first(lambda message: _is_of(message, frame), _TRACKED_S)
    if tracked is None:
        raise CheckFailedError(f"frame {number} of run {run} is stored, but not tracked {_TRACKED_S:g} s later")
    said = read(TrackedFrame, tracked).tracks

    def enough(messages: Sequence[Message]) -> list[Message] | None:
        found = [one for one in messages if one.subject == topics.TRACKS.subject and _is_of(one, frame)]
        return found if len(found) >= said else None

    found = await radar.until(enough, _TRACKED_S)
    if found is None:
        raise wrong(tracked, f"says that frame {number} gave {said} tracks, but not so many are stored")
    return Followed(frame, tracked, found)


def _is_of(message: Message, frame: Message) -> bool:
    return RUN in message.headers and place(message) == place(frame)


def check(one: Followed) -> None:
    """A frame, what is said of it and its tracks belong together, and each track is there once.

    Raises:
        CheckFailedError: they do not.
    """
    frame, tracked = read(RadarFrame, one.frame), read(TrackedFrame, one.tracked)
    if (tracked.frame_id, tracked.timestamp) != (frame.frame_id, frame.timestamp):
        raise wrong(one.tracked, f"is not of frame {frame.frame_id} at {frame.timestamp}")
    if len(one.tracks) != tracked.tracks or len({header(track, MESSAGE_ID) for track in one.tracks}) != tracked.tracks:
        raise wrong(one.tracked, f"says {tracked.tracks} tracks, stored are {len(one.tracks)}")
    for message in one.tracks:
        if read(RadarTrack, message).timestamp != frame.timestamp:
            raise wrong(message, f"is not of {frame.timestamp}, the time of its frame")


def check_seen(followed: Sequence[Followed]) -> str:
    """Where something is detected there are tracks: a detection that belongs to none begins one.

    Raises:
        CheckFailedError: there is none in any frame.
    """
    detections = sum(len(read(RadarFrame, one.frame).detections) for one in followed)
    count = sum(len(one.tracks) for one in followed)
    if detections and not count:
        raise CheckFailedError(f"{len(followed)} frames with {detections} detections gave no track")
    return f"{detections} detections gave {count} tracks"
