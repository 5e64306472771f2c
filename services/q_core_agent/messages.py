"""The messages that the agent reads: body, and what their headers say of their place."""

from collections.abc import Mapping

from nats.aio.msg import Msg

from qiki.contracts.events import GuardCleared, RadarGap
from qiki.contracts.headers import ALERTS, FRAME, RUN
from qiki.contracts.models import GuardAlert, RadarTrack, TrackedFrame
from qiki.runtime.reading import read_payload


def read_tracked(message: Msg) -> tuple[TrackedFrame, int]:
    """The notice of a frame, and how many guard messages belong to it."""
    return read_payload(TrackedFrame, message.data), int(_headers(message).get(ALERTS, "0"))


def read_track(message: Msg) -> tuple[RadarTrack, str, int]:
    """A track, its run and its frame."""
    return read_payload(RadarTrack, message.data), *_place(message)


def read_alert(message: Msg) -> tuple[GuardAlert, str, int]:
    """An alert, its run and its frame."""
    return read_payload(GuardAlert, message.data), *_place(message)


def read_cleared(message: Msg) -> tuple[GuardCleared, int]:
    """An alert's end, and the frame."""
    return read_payload(GuardCleared, message.data), _place(message)[1]


def read_gap(message: Msg) -> tuple[str, int, int]:
    """The run, the first and the last number of frames that were never published."""
    gap = read_payload(RadarGap, message.data)
    return gap.run_id, gap.first_frame, gap.last_frame


def read_buried(message: Msg) -> tuple[str, int, int]:
    """The same of a frame that could not be read."""
    frame = read_payload(TrackedFrame, message.data)
    return frame.run_id, frame.frame, frame.frame


def _place(message: Msg) -> tuple[str, int]:
    """Run and frame of a message.

    Raises:
        LookupError: it does not say.
        ValueError: the frame is no number.
    """
    headers = _headers(message)
    return headers[RUN], int(headers[FRAME])


def _headers(message: Msg) -> Mapping[str, str]:
    return message.headers or {}
