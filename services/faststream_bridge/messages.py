"""The notice of a frame that could not be read."""

from collections.abc import Mapping
from uuid import UUID

from qiki.clock import parse_rfc3339
from qiki.contracts import headers as names
from qiki.contracts.enums import RadarRangeBand
from qiki.contracts.headers import FrameOrigin
from qiki.contracts.ids import frame_message_id, run_frame_id
from qiki.contracts.message import Message
from qiki.contracts.radar import TrackedFrame
from qiki.guard.messages import notice


def buried_message(origin: FrameOrigin, headers: Mapping[str, str], sequence: int, reason: str) -> Message | None:
    """Return the notice that the frame stored at `sequence` gave nothing: it went to the dead letters.

    None for a message that only borrows a run's headers: a frame of the run has the frame's own message id and time.
    """
    if headers.get(names.MESSAGE_ID) != frame_message_id(origin.run, origin.frame, RadarRangeBand.RR_UNSPECIFIED.name):
        return None
    try:
        frame_id, timestamp = run_frame_id(UUID(origin.run), origin.frame), parse_rfc3339(headers["ce-time"])
    except (LookupError, ValueError):
        return None
    body = TrackedFrame(run_id=origin.run, frame_id=frame_id, frame=origin.frame, timestamp=timestamp, tracks=0)
    marks = {names.SEQUENCE: str(sequence), names.ALERTS: "0", names.REASON: reason}
    return notice(body, str(origin.frame), marks)
