"""A message as it passed, and what it says."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Generic, TypeVar

from pydantic_core import from_json

from qiki.contracts import headers as names
from qiki.contracts.events import CODE, SEVERITY

P = TypeVar("P")


@dataclass(frozen=True, eq=False)
class Record(Generic[P]):
    """One message.

    Attributes:
        subject: where it was published
        body: its bytes
        headers: empty where it has none
        sequence: its place in its stream; 0 where it is not kept
        read: how it is parsed; only when somebody looks
    """

    subject: str
    body: bytes
    headers: Mapping[str, str]
    sequence: int
    read: "Callable[[Record[P]], P]" = field(repr=False)

    @cached_property
    def data(self) -> P:
        """The payload.

        Raises:
            pydantic.ValidationError: it is not what belongs on this subject.
        """
        return self.read(self)

    @property
    def message_id(self) -> str:
        """What JetStream tells repeated messages by."""
        return self.headers[names.MESSAGE_ID]

    @property
    def run(self) -> str:
        """The run that it belongs to."""
        return self.headers[names.RUN]

    @property
    def frame(self) -> int:
        """Number of its frame within the run."""
        return int(self.headers[names.FRAME])


@dataclass(frozen=True)
class Event:
    """What happened: the CloudEvents attributes and the registrar's code, and the body's fields."""

    subject: str
    id: str | None
    type: str | None
    source: str | None
    code: int | None
    severity: str | None
    fields: Mapping[str, Any]


@dataclass(frozen=True)
class DeadLetter:
    """A message that somebody could not read."""

    reason: str
    origin_subject: str
    origin_sequence: int
    body: bytes


def read_event(record: Record[Event]) -> Event:
    """From a message on `qiki.events.v1.>`."""
    headers = record.headers
    code = headers.get(CODE)
    return Event(
        subject=record.subject,
        id=headers.get("ce-id"),
        type=headers.get("ce-type"),
        source=headers.get("ce-source"),
        code=int(code) if code else None,
        severity=headers.get(SEVERITY),
        fields=from_json(record.body),
    )


def read_dead_letter(record: Record[DeadLetter]) -> DeadLetter:
    """From a message on `qiki.dlq.v1.>`."""
    return DeadLetter(
        reason=record.headers[names.REASON],
        origin_subject=record.headers[names.ORIGIN_SUBJECT],
        origin_sequence=int(record.headers[names.ORIGIN_SEQUENCE]),
        body=record.body,
    )
