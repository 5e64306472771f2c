"""The layout of a recording, an MCAP file.

A channel a subject holds the bodies, with the JSON Schema of their payload. MCAP knows no headers: those of each
message stand right before its body on the channel `HEADERS`, with the same number (MCAP's `sequence`), behind the
message's place in its stream. The log time is the time of storage or arrival, the publish time is the event's. Channel
`NOTES` has what a reader must know of the way on which the messages came. Derived channels are for viewers alone:
each message stands behind the one that completed it, with its number and log time.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from qiki.clock import parse_rfc3339
from qiki.contracts.events import EVENTS as KINDS
from qiki.contracts.headers import Message, encoded
from qiki.contracts.topics import TOPICS, Topic

PROFILE = "qiki"
LIBRARY = "qiki-dtmp"
VERSION = 2
FLIGHT = "flight"
"""The source of a recording of a run in one process."""
ABOUT = "qiki.recording"
"""Name of the metadata record with `About`."""
HEADERS, NOTES = "qiki/headers", "qiki/notes"
HEADERS_ENCODING = "nats"
DERIVED = "/foxglove/"
"""The names of derived channels begin with it: they repeat for viewers what other channels hold."""
MANIFEST, RULES, CONTENTS = "manifest.json", "guard_rules.yaml", "contents.json"
"""Names of attachments."""
MAX_NS = 2**63 - 1
_TIME = "ce-time"
_TIMESTAMP = b'"timestamp":"'
_TIMESTAMP_LETTERS = 40


class About(BaseModel):
    """The origin of a recording.

    `source` is a stack's address or `flight`. `commit` and `locks` are hashes, empty where they are not known.
    """

    model_config = ConfigDict(frozen=True)

    version: int = VERSION
    product: str
    source: str
    begun: str
    python: str
    commit: str = ""
    locks: str = ""


class Note(BaseModel):
    """A note: messages of a stream behind a sequence were lost by a killed broker; or the connection broke."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["lost", "break"]
    stream: str = ""
    behind: int = Field(default=0, ge=0)


@dataclass(frozen=True, slots=True)
class Recorded:
    """A message of a recording.

    Attributes:
        number: its own, from 1, in the order of arrival
        sequence: its place in its stream; 0 where it is not kept
        came_ns: time of arrival, Unix time
        event_ns: event time; that of arrival where it has none
    """

    message: Message
    number: int
    sequence: int
    came_ns: int
    event_ns: int


def event_ns(message: Message) -> int | None:
    """Return the event time of a message; None where it has none that the file can hold."""
    text = message.headers.get(_TIME)
    if text is None:
        start = message.body.find(_TIMESTAMP) + len(_TIMESTAMP)
        end = message.body.find(b'"', start, start + _TIMESTAMP_LETTERS)
        if start < len(_TIMESTAMP) or end < 0:
            return None
        text = message.body[start:end].decode(errors="replace")
    try:
        found_ns = nanoseconds(parse_rfc3339(text))
    except ValueError:
        return None
    return found_ns if 0 <= found_ns <= MAX_NS else None


def nanoseconds(moment: datetime) -> int:
    """Return Unix time [ns], exact to the microsecond."""
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return ((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds) * 1000


def pack_headers(headers: Mapping[str, str], sequence: int) -> bytes:
    """Return the data of a message's headers."""
    return b"%d\r\n%b" % (sequence, encoded(headers) if headers else b"")


def unpack_headers(data: bytes) -> tuple[dict[str, str], int]:
    """Return headers and sequence.

    Raises:
        ValueError: they are malformed.
    """
    first, _, block = data.partition(b"\r\n")
    if not first.isdigit() or len(first) > 19:
        raise ValueError("headers: expected a sequence")
    lines = block.decode().split("\r\n")[1:]
    pairs = (line.partition(": ") for line in lines if line)
    return {name: value for name, _, value in pairs}, int(first)


@cache
def topic_of(subject: str) -> Topic[Any] | None:
    """Return the topic of a subject, the most special one; None for one of no topic."""
    covering = [topic for topic in TOPICS if topic.covers(subject)]
    return max(covering, key=lambda topic: len(topic.subject), default=None)


@cache
def schema_of(subject: str) -> tuple[str, bytes] | None:
    """Return name and JSON Schema of the payload on a subject; None where it has none."""
    topic = topic_of(subject)
    model = topic.model if topic else None
    if topic and model is None:
        model = next((kind.model for kind in KINDS if kind.subject == subject), None)
    return None if model is None else (model.__name__, json.dumps(model.model_json_schema()).encode())
