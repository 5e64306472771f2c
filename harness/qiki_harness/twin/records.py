"""Messages as they passed, and their payloads."""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeVar
from weakref import ref

from pydantic import ValidationError
from pydantic_core import from_json

from qiki.contracts import headers as names
from qiki.contracts import topics
from qiki.contracts.events import CODE, SEVERITY
from qiki.contracts.fields import Payload, first_fault
from qiki.contracts.numbers import MAX_FRAME, MAX_SEQUENCE, whole_number
from qiki.contracts.topics import Topic

PAYLOADS_KEPT = 20_000

P = TypeVar("P")
M = TypeVar("M", bound=Payload)


@dataclass(frozen=True, eq=False)
class Record(Generic[P]):
    """One message."""

    subject: str
    body: bytes
    headers: Mapping[str, str]  # empty where it has none
    sequence: int  # its place in its stream; 0 where it is not kept
    topic: Topic[P]  # says what its payload is, which is parsed when it is looked at
    came_s: float = 0.0  # time of its arrival, on the monotonic clock

    @cached_property
    def data(self) -> P:
        """The payload; UnreadableError where it is not what belongs on this subject."""
        model: Any = self.topic.model
        payload: P = self.parse(model) if model else _READERS[self.topic.subject](self)
        _keep(self)
        return payload

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
        return self.number(names.FRAME, MAX_FRAME)

    def number(self, name: str, most: int, least: int = 0) -> int:
        """Return a header that is a whole number, or raise UnreadableError."""
        try:
            return whole_number(self.header(name), name, most, least)
        except MissingHeaderError:
            raise
        except ValueError as error:
            raise UnreadableError(self, str(error)) from None

    def header(self, name: str) -> str:
        """Return a header, or raise MissingHeaderError."""
        if name not in self.headers:
            raise MissingHeaderError(self, f"{name}: is missing")
        return self.headers[name]

    def parse(self, model: type[M]) -> M:
        """Return the body as a payload of a model, or raise UnreadableError."""
        try:
            return model.from_json(self.body)
        except ValidationError as error:
            raise UnreadableError(self, f"no {model.__name__}: {first_fault(error)}") from None


_READ: deque[ref[Record[Any]]] = deque()
"""Records whose payloads are kept, the longest read first. A payload takes several times as much as its body."""


def _keep(record: Record[Any]) -> None:
    """Forget the payload of the record that was read first where too many are kept: it is parsed again if need be."""
    _READ.append(ref(record))
    if len(_READ) > PAYLOADS_KEPT and (oldest := _READ.popleft()()) is not None:
        vars(oldest).pop("data", None)


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


def _read_event(record: Record[Event]) -> Event:
    get = record.headers.get
    kind = get("ce-id"), get("ce-type"), get("ce-source")
    code = record.number(CODE, 999, 100) if CODE in record.headers else None
    try:
        return Event(record.subject, *kind, code, get(SEVERITY), from_json(record.body))
    except ValueError as error:
        raise UnreadableError(record, f"body: not JSON: {error}") from None


def _read_dead_letter(record: Record[DeadLetter]) -> DeadLetter:
    origin = record.header(names.ORIGIN_SUBJECT), record.number(names.ORIGIN_SEQUENCE, MAX_SEQUENCE)
    return DeadLetter(record.header(names.REASON), *origin, record.body)


_READERS: Mapping[str, Callable[[Record[Any]], Any]] = {
    topics.EVENTS.subject: _read_event,
    topics.DEAD_LETTERS.subject: _read_dead_letter,
}
