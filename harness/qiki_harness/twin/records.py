"""Messages as they passed, and their payloads."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Generic, TypeVar

from pydantic import ValidationError
from pydantic_core import from_json

from qiki.contracts import headers as names
from qiki.contracts import topics
from qiki.contracts.events import CODE, SEVERITY
from qiki.contracts.fields import Payload, first_fault
from qiki.contracts.topics import Topic

P = TypeVar("P")
M = TypeVar("M", bound=Payload)


@dataclass(frozen=True, eq=False)
class Record(Generic[P]):
    """One message.

    Attributes:
        subject: where it was published
        body: its bytes
        headers: empty where it has none
        sequence: its place in its stream; 0 where it is not kept
        read: parses the payload, when it is looked at
        came_s: time of its arrival, on the monotonic clock
    """

    subject: str
    body: bytes
    headers: Mapping[str, str]
    sequence: int
    read: "Callable[[Record[P]], P]" = field(repr=False)
    came_s: float = 0.0

    @cached_property
    def data(self) -> P:
        """The payload.

        Raises:
            UnreadableError: it is not what belongs on this subject.
        """
        return self.read(self)

    @property
    def place(self) -> str:
        """Its subject, and its sequence where it is kept."""
        return f"{self.subject}, sequence {self.sequence}" if self.sequence else self.subject

    @property
    def message_id(self) -> str:
        """The id by which JetStream finds duplicates."""
        return self.header(names.MESSAGE_ID)

    @property
    def run(self) -> str:
        """The run that it belongs to."""
        return self.header(names.RUN)

    @property
    def frame(self) -> int:
        """Number of its frame within the run."""
        number = self.header(names.FRAME)
        try:
            return int(number)
        except ValueError:
            raise UnreadableError(self, f"{names.FRAME}: {number!r} is no number") from None

    def header(self, name: str) -> str:
        """Return a header.

        Raises:
            MissingHeaderError: it has none of that name.
        """
        if name not in self.headers:
            raise MissingHeaderError(self, f"{name}: is missing")
        return self.headers[name]

    def parse(self, model: type[M]) -> M:
        """Return the body as a payload.

        Raises:
            UnreadableError: it is not of the model.
        """
        try:
            payload: M = model.from_json(self.body)
        except ValidationError as error:
            raise UnreadableError(self, f"no {model.__name__}: {first_fault(error)}") from None
        return payload


class UnreadableError(ValueError):
    """A message that is not as it should be; the text says where it is, and its first fault."""

    def __init__(self, record: Record[Any], problem: str) -> None:
        super().__init__(f"{record.place}: {problem}")


class MissingHeaderError(UnreadableError, LookupError):
    """A message without a header that it should have."""


@dataclass(frozen=True)
class Event:
    """An event: its CloudEvents attributes, the registrar's code, and the body's fields."""

    subject: str
    id: str | None
    type: str | None
    source: str | None
    code: int | None
    severity: str | None
    fields: Mapping[str, Any]


@dataclass(frozen=True)
class DeadLetter:
    """A message that a service could not read, and why."""

    reason: str
    origin_subject: str
    origin_sequence: int
    body: bytes


def reader(topic: Topic[P]) -> Callable[[Record[P]], P]:
    """Return the parser of a topic's messages."""
    if topic.model is None:
        return _READERS[topic.subject]
    model: Any = topic.model
    return lambda record: record.parse(model)


def fields_of(topic: Topic[Any]) -> Collection[str] | None:
    """Return the names of a payload's fields; None where they differ from message to message."""
    if topic is topics.DEAD_LETTERS:
        return tuple(DeadLetter.__dataclass_fields__)
    return None if topic.model is None else tuple(topic.model.model_fields)


def _read_event(record: Record[Event]) -> Event:
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


def _read_dead_letter(record: Record[DeadLetter]) -> DeadLetter:
    return DeadLetter(
        reason=record.header(names.REASON),
        origin_subject=record.header(names.ORIGIN_SUBJECT),
        origin_sequence=int(record.header(names.ORIGIN_SEQUENCE)),
        body=record.body,
    )


_READERS: Mapping[str, Callable[[Record[Any]], Any]] = {
    topics.EVENTS.subject: _read_event,
    topics.DEAD_LETTERS.subject: _read_dead_letter,
}
