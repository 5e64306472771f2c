"""The notices of tracked frames, held against what the broker has of their tracks and estimates.

Each is in a stream of its own, and each of these streams is written later than it is acknowledged: a broker that is
killed, or runs out of space, may lose the end of one and keep that of another.
"""

import structlog
from nats.js import JetStreamContext
from nats.js.api import RawStreamMsg
from nats.js.errors import NotFoundError
from pydantic_core import from_json

from qiki.contracts import topics
from qiki.contracts.headers import ESTIMATES, FRAME, RUN
from qiki.runtime.retry import last_message

MOST_LOST = 600  # notices: a stream loses what came in its last second
log = structlog.get_logger()


async def newest_notice(jetstream: JetStreamContext) -> RawStreamMsg | None:
    """Return the newest notice whose frame's tracks and estimates are there too; None without one.

    Behind a loss the frame that has the newest tracks may lack some: its notice does not count either.
    """
    newest = notice = await last_message(jetstream, topics.QIKI_TRACKER_V1, topics.TRACKED.subject)
    tracks = await last_message(jetstream, topics.QIKI_RADAR_V1, topics.TRACKS.subject)
    estimates = await last_message(jetstream, topics.QIKI_ESTIMATES_V1, topics.ESTIMATES.subject)
    for _ in range(MOST_LOST):
        if notice is None or is_whole(notice, tracks, estimates):
            break
        notice = await _before(jetstream, notice)
    if newest is None or notice is newest:
        return notice
    log.warning("the broker lost tracks or estimates of frames that were announced", newest=newest.seq)
    return notice and await _before(jetstream, notice)


def is_whole(notice: RawStreamMsg, tracks: RawStreamMsg | None, estimates: RawStreamMsg | None) -> bool:
    """Return whether the newest tracks and estimates are the announced frame's, or a later one's."""
    try:
        counts = int(from_json(notice.data or b"")["tracks"]), int((notice.headers or {}).get(ESTIMATES, 0))
    except (ValueError, LookupError, TypeError):
        return True  # not ours
    return not any(count and _is_older(found, notice) for count, found in zip(counts, (tracks, estimates), strict=True))


def _is_older(found: RawStreamMsg | None, notice: RawStreamMsg) -> bool:
    """Return whether a message is of a frame before the announced one; one that has aged away is not."""
    if found is None:
        return False
    of_found, of_notice = found.headers or {}, notice.headers or {}
    if of_found.get(RUN) != of_notice.get(RUN):
        return bool(found.time and notice.time and found.time < notice.time)
    try:
        return int(of_found.get(FRAME, 0)) < int(of_notice.get(FRAME, 0))
    except ValueError:
        return False


async def _before(jetstream: JetStreamContext, notice: RawStreamMsg) -> RawStreamMsg | None:
    """Return the notice before one; None without it."""
    sequence = (notice.seq or 0) - 1
    try:
        return await jetstream.get_msg(topics.QIKI_TRACKER_V1, seq=sequence) if sequence > 0 else None
    except NotFoundError:
        return None
