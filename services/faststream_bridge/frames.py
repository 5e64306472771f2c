"""A stored message as a frame, or the reason why it is none."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from pydantic import ValidationError

from qiki.contracts.headers import FrameOrigin
from qiki.contracts.radar import RadarFrame
from qiki.contracts.radar_figures import RadarFigures
from qiki.errors import QikiError
from qiki.runtime.reading import read_payload

Acknowledge = Callable[[], Awaitable[None]]


class PoisonError(QikiError):
    """A message that will never be a frame."""


@dataclass(frozen=True, slots=True)
class StoredFrame:
    """A frame of the radar stream.

    Attributes:
        origin: None for a frame of another radar
        radar: what its headers say of the radar, if anything
    """

    frame: RadarFrame
    origin: FrameOrigin | None
    radar: RadarFigures | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message of the radar stream, as the durable gave it or as it was read by sequence.

    Attributes:
        sequence: where it is stored
        acknowledge: tells the durable that it is done with
        stored: when the broker stored it, if it said so
    """

    sequence: int
    body: bytes
    headers: Mapping[str, str] | None
    acknowledge: Acknowledge
    stored: datetime | None = None


def read_frame(body: bytes) -> RadarFrame:
    """Validate a body.

    Raises:
        PoisonError: not JSON, or not a frame; the text names the first fault.
    """
    try:
        frame = read_payload(RadarFrame, body)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=False)
        where = ".".join(str(part) for part in faults[0]["loc"])
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        raise PoisonError(f"{where + ': ' if where else ''}{faults[0]['msg']}{more}") from None
    return frame


def read_origin(headers: Mapping[str, str] | None) -> FrameOrigin | None:
    """The frame's origin.

    Raises:
        PoisonError: headers that do not read.
    """
    try:
        return FrameOrigin.read(headers)
    except ValueError as error:
        raise PoisonError(f"headers: {error}") from None


def read_radar(headers: Mapping[str, str] | None) -> RadarFigures | None:
    """What is said of the radar.

    Raises:
        PoisonError: a header that does not read.
    """
    try:
        return RadarFigures.read(headers)
    except ValueError as error:
        raise PoisonError(f"headers: {error}") from None
