"""A message of the radar stream, parsed once: a frame, or the reason why it is none."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from nats.aio.msg import Msg
from pydantic import ValidationError

from qiki.contracts.fields import first_fault
from qiki.contracts.frame_columns import FrameColumns
from qiki.contracts.headers import FrameOrigin
from qiki.contracts.radar import MAX_FRAME_BYTES, MAX_FRAME_NODES, RadarFrame
from qiki.contracts.radar_figures import RadarFigures
from qiki.errors import QikiError
from qiki.runtime.dead_letters import reason_text
from qiki.runtime.reading import names_unknown_fields, read_payload

Acknowledge = Callable[[], Awaitable[None]]


class PoisonError(QikiError):
    """A message that will never be a frame."""


@dataclass(frozen=True, slots=True)
class StoredFrame:
    """A frame of the radar stream."""

    frame: RadarFrame | FrameColumns
    origin: FrameOrigin | None  # None for a frame of another radar
    radar: RadarFigures | None = None  # figures in its headers, if any


@dataclass(frozen=True, slots=True)
class Poison:
    """A message that is no frame."""

    reason: str
    origin: FrameOrigin | None = None  # the run and number that its headers claim, if they do


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message of the radar stream, as the durable delivered it or as it was read by sequence."""

    sequence: int  # in the stream
    body: bytes
    headers: Mapping[str, str] | None
    content: StoredFrame | Poison
    acknowledge: Acknowledge
    stored: datetime | None = None  # time at which the broker stored it, if it said so
    count: int = 0  # of the durable's deliveries; a jump means that some never arrived. 0 where read by sequence

    @classmethod
    def of_message(cls, message: Msg) -> "Delivery":
        """Read what the durable delivered."""
        body, headers, place = message.data, message.headers, message.metadata
        sequence, count = place.sequence.stream, place.sequence.consumer
        return cls(sequence, body, headers, read_content(body, headers), message.ack, place.timestamp, count)


def read_content(body: bytes, headers: Mapping[str, str] | None) -> StoredFrame | Poison:
    """Read body and headers. Whatever goes wrong with them makes poison."""
    origin = None
    try:
        origin = FrameOrigin.read(headers)
        radar = RadarFigures.read(headers)
        return StoredFrame(read_frame(body), origin, radar)
    except PoisonError as error:
        return Poison(str(error), origin)
    except ValueError as error:
        return Poison(f"headers: {error}", origin)
    except Exception as error:
        return Poison(reason_text(error), origin)


def read_frame(body: bytes) -> FrameColumns:
    """Validate a body, within bounds of memory; raise PoisonError, which names the first fault."""
    if len(body) > MAX_FRAME_BYTES:
        raise PoisonError(f"{len(body)} bytes (expected at most {MAX_FRAME_BYTES})")
    nodes = body.count(b"{") + body.count(b"[")  # the parser takes half a kilobyte for each
    if nodes > MAX_FRAME_NODES:
        raise PoisonError(f"{nodes} objects and lists (expected at most {MAX_FRAME_NODES})")
    try:
        if names_unknown_fields():  # only the model knows them
            return FrameColumns.of_frame(read_payload(RadarFrame, body))
        return FrameColumns.from_json(body)
    except ValidationError as error:
        raise PoisonError(first_fault(error)) from None
