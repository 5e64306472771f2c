"""Messages and their headers: CloudEvents in binary mode (NATS binding 1.0) and the platform's own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode

from qiki.contracts.cloudevents import header_value
from qiki.contracts.enums import FriendFoe, RadarRangeBand
from qiki.contracts.ids import frame_message_id
from qiki.contracts.numbers import MAX_FRAME, shown, whole_number

MAX_HEADER_BYTES = 65_535
"""Of one message: the server refuses more."""
MAX_IDENTITIES_BYTES = 60_000
"""Of a run's identities in the headers of each frame; the others take 2 kB at most."""

MESSAGE_ID = "Nats-Msg-Id"
RUN = "x-qiki-run"
FRAME = "x-qiki-frame"
OWN_POSITION = "x-qiki-own-position"
OWN_VELOCITY = "x-qiki-own-velocity"
IDENTITIES = "x-qiki-identities"
RADAR = "x-qiki-radar"
RANGE_BAND = "x-range-band"
REASON = "x-qiki-reason"
ORIGIN_SUBJECT = "x-qiki-origin-subject"
ORIGIN_SEQUENCE = "x-qiki-origin-seq"
SEQUENCE = "x-qiki-seq"
ALERTS = "x-qiki-alerts"
ESTIMATES = "x-qiki-estimates"
TICK = "x-qiki-tick"
TYPE_CONFIDENCE = "x-qiki-type-confidence"

FRAME_SOURCE = "urn:qiki:q-sim-service:radar"
FRAME_TYPES = {band: f"qiki.radar.v1.{band.name.removeprefix('RR_')}Frame" for band in RadarRangeBand}
TRACK_SOURCE = "urn:qiki:faststream-bridge:radar"
TRACK_TYPE = "qiki.radar.v1.Track"
TRACKED_TYPE = "qiki.tracker.v1.TrackedFrame"
ESTIMATES_TYPE = "qiki.estimates.v1.TrackEstimates"


def cloud_event(event_id: str, event_type: str, source: str, time: str) -> dict[str, str]:
    """Return the CloudEvents headers of a message with a JSON body; its id is the message id too."""
    encoded_id = header_value(event_id)
    return {
        MESSAGE_ID: encoded_id,
        "ce-specversion": "1.0",
        "ce-id": encoded_id,
        "ce-type": event_type,
        "ce-source": header_value(source),
        "ce-time": time,
        "content-type": "application/json",
    }


@dataclass(frozen=True, slots=True)
class Message:
    """A message that is ready to publish; the message id is among its headers."""

    subject: str
    body: bytes
    headers: Mapping[str, str]


class EncodedMessage(NamedTuple):
    """A message whose headers are the wire's own block already."""

    subject: str
    head: bytes
    body: bytes


def encoded(headers: Mapping[str, str]) -> bytes:
    """Return the wire's block of some headers; a line break within a value becomes a blank."""
    lines = [
        f"{name}: {value.strip()}".replace("\r", " ").replace("\n", " ") + "\r\n" for name, value in headers.items()
    ]
    return f"NATS/1.0\r\n{''.join(lines)}\r\n".encode()


def on_the_wire(message: Message | EncodedMessage) -> EncodedMessage:
    """Return the message with its headers encoded."""
    if isinstance(message, EncodedMessage):
        return message
    return EncodedMessage(message.subject, encoded(message.headers), message.body)


@dataclass(frozen=True)
class FrameOrigin:
    """Run and number of a frame, and the bot's own state at its time.

    Attributes:
        own_position: [m], world axes, three numbers
        own_velocity: [m/s], world axes, three numbers
        identities: sides of the known transponder identities. Every frame carries them, for a tracker that starts in
            the middle of a run, or a week later
    """

    run: str
    frame: int
    own_position: tuple[float, ...]
    own_velocity: tuple[float, ...]
    identities: Mapping[str, FriendFoe] = field(default_factory=dict)

    def headers(self, band: RadarRangeBand, time: str) -> dict[str, str]:
        """Return the headers of the frame on the subject of `band`."""
        event = cloud_event(frame_message_id(self.run, self.frame, band.name), FRAME_TYPES[band], FRAME_SOURCE, time)
        return event | {
            RANGE_BAND: band.name,
            RUN: self.run,
            FRAME: str(self.frame),
            OWN_POSITION: triple(self.own_position),
            OWN_VELOCITY: triple(self.own_velocity),
            IDENTITIES: identities_text(self.identities),
        }

    @classmethod
    def read(cls, headers: Mapping[str, str] | None) -> "FrameOrigin | None":
        """Read the headers; None for a frame without them, which is another radar's.

        Raises:
            ValueError: a header is malformed, or one of run and number is missing.
        """
        missing = [name for name in (RUN, FRAME) if headers is None or name not in headers]
        if headers is None or len(missing) == 2:
            return None
        if missing:
            raise ValueError(f"{missing[0]}: is missing")
        return cls(
            headers[RUN],
            whole_number(headers[FRAME], FRAME, MAX_FRAME),
            _numbers(headers, OWN_POSITION),
            _numbers(headers, OWN_VELOCITY),
            _identities(headers.get(IDENTITIES, "")),
        )


def triple(values: Sequence[float]) -> str:
    """Return three numbers, separated by blanks, each in its shortest exact form."""
    return " ".join(repr(float(value)) for value in values)


def probability(value: float) -> str:
    """Return a probability, rounded down to a hundredth: below 1 it is never written as 1.00."""
    return f"{int(100 * value) / 100:.2f}"


def identities_text(identities: Mapping[str, FriendFoe]) -> str:
    """Return identities and their sides as a header's value."""
    return _identities_text(tuple(identities.items()))


@lru_cache(8)
def _identities_text(identities: tuple[tuple[str, FriendFoe], ...]) -> str:
    return urlencode([(name, int(side)) for name, side in sorted(identities)])


@lru_cache(8)
def _identities(text: str) -> Mapping[str, FriendFoe]:
    """Return the identities, read-only: every frame of a run has the same ones."""
    return MappingProxyType({name: FriendFoe(int(side)) for name, side in parse_qsl(text)})


def _numbers(headers: Mapping[str, str], name: str) -> tuple[float, ...]:
    numbers = tuple(float(word) for word in headers.get(name, "0 0 0").split())
    if len(numbers) != 3 or not all(abs(number) < float("inf") for number in numbers):
        raise ValueError(f"{name}: {shown(headers[name])} is not three finite numbers")
    return numbers
