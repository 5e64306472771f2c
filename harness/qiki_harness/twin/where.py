"""Conditions on records that print themselves as sentences.

    track(iff=FriendFoe.FOE, range_m=below(150))     a track whose iff is FOE and range_m is below 150
    telemetry(sim_state__paused=True)                a telemetry snapshot whose sim_state.paused is True
    event(code=802, rule_id="SPOOFING_DETECTED")     an event whose code is 802 and rule_id is 'SPOOFING_DETECTED'

A field is one of the payload, of an event's body, or `run`, `frame`, `sequence`, `subject` of the message itself;
two underscores lead into a nested one. Its value is one to be equal to, or a `Matcher`.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import reduce
from typing import Any, Generic, TypeVar

from qiki.contracts import topics
from qiki.contracts.topics import Topic
from qiki_harness.twin.records import DeadLetter, Event, Record

P = TypeVar("P")
_OF_THE_MESSAGE = ("frame", "run", "sequence", "subject")
_NOTHING = object()


@dataclass(frozen=True)
class Matcher:
    """A condition on one value, and its text: *is below 150*."""

    text: str
    holds: Callable[[Any], bool]

    def __str__(self) -> str:
        return self.text


def equal(value: object) -> Matcher:
    """Match the value itself."""
    return Matcher(f"is {spell(value)}", lambda seen: bool(seen == value))


def below(limit: float) -> Matcher:
    """Match less than the limit."""
    return Matcher(f"is below {limit:g}", lambda seen: bool(seen < limit))


def above(limit: float) -> Matcher:
    """Match more than the limit."""
    return Matcher(f"is above {limit:g}", lambda seen: bool(seen > limit))


def near(value: float, within: float) -> Matcher:
    """Match what is no further than `within` from the value."""
    return Matcher(f"is within {within:g} of {value:g}", lambda seen: abs(seen - value) <= within)


def one_of(*values: object) -> Matcher:
    """Match any of the values."""
    return Matcher(f"is {' or '.join(map(spell, values))}", lambda seen: seen in values)


def containing(item: object) -> Matcher:
    """Match a text or collection that contains the item."""
    return Matcher(f"contains {spell(item)}", lambda seen: item in seen)


satisfying = Matcher
"""Match by a function; the text follows the field's name in messages."""


@dataclass(frozen=True)
class Condition:
    """A field and what it has to be."""

    path: str
    matcher: Matcher

    def __str__(self) -> str:
        return f"{self.path.replace('__', '.')} {self.matcher}".strip()

    def complaint(self, record: Record[Any]) -> str | None:
        """Return why a record does not match; None when it does."""
        try:
            value = _look_up(record, self.path)
        except ValueError as error:  # unreadable messages pass too, and never match
            return f"cannot be read: {str(error).splitlines()[0]}"
        field = self.path.replace("__", ".")
        if value is _NOTHING:
            return f"has no {field}"
        if self.matcher.holds(value):
            return None
        return f"{field} is {spell(value)}" if field else f"not: {self.matcher}"


@dataclass(frozen=True)
class Where(Generic[P]):
    """Conditions on records of one kind, which must all hold; `&` joins two."""

    noun: str
    conditions: tuple[Condition, ...] = ()

    def __call__(self, record: Record[P]) -> bool:
        """Return whether a record matches."""
        return all(condition.complaint(record) is None for condition in self.conditions)

    def __and__(self, other: "Where[P]") -> "Where[P]":
        return Where(self.noun, self.conditions + other.conditions)

    def __str__(self) -> str:
        conditions = " and ".join(map(str, self.conditions))
        return f"{self.noun} whose {conditions}" if conditions else self.noun

    def complaints(self, record: Record[P]) -> list[str]:
        """Return why a record does not match, one line for each condition that does not hold."""
        return [complaint for one in self.conditions if (complaint := one.complaint(record)) is not None]


@dataclass(frozen=True)
class Noun(Generic[P]):
    """A kind of record: makes conditions on it."""

    phrase: str  # the noun with its article
    fields: Collection[str] | None  # of the payload; None where they are open

    def __call__(self, **fields: object) -> Where[P]:
        """Return the condition that fields have these values.

        Raises:
            TypeError: there is no such field.
        """
        return Where(self.phrase, tuple(self._condition(path, value) for path, value in fields.items()))

    def that(self, given: "Where[P] | Callable[[P], bool] | None", fields: Mapping[str, object]) -> Where[P]:
        """Return conditions from a `Where` or a function of the payload, and fields."""
        conditions = self(**fields)
        if given is None:
            return conditions
        if isinstance(given, Where):
            return given & conditions
        text = (given.__doc__ or str(getattr(given, "__name__", given))).strip().partition("\n")[0]
        return conditions & Where(self.phrase, (Condition("", Matcher(f"({text})", given)),))

    def _condition(self, path: str, value: object) -> Condition:
        name = path.partition("__")[0]
        if self.fields is not None and name not in self.fields and name not in _OF_THE_MESSAGE:
            raise TypeError(
                f"{self.phrase} has no field {name!r}: there are {', '.join([*self.fields, *_OF_THE_MESSAGE])}"
            )
        return Condition(path, value if isinstance(value, Matcher) else equal(value))


def spell(value: object) -> str:
    """Return a value as text: the name of an enumeration, a number without noise."""
    if isinstance(value, Enum):
        return value.name
    return f"{value:g}" if isinstance(value, float) else repr(value)


def _look_up(record: Record[Any], path: str) -> Any:
    if not path:
        return record.data
    first, *rest = path.split("__")
    members = (_member(scope, first) for scope in _scopes(record, first))
    value = next((member for member in members if member is not _NOTHING), _NOTHING)
    return reduce(_member, rest, value)


def _scopes(record: Record[Any], name: str) -> Iterator[object]:
    """Yield where a field may be; the message first where that saves parsing the payload."""
    if name in _OF_THE_MESSAGE:
        yield record
    yield record.data
    if isinstance(record.data, Event):
        yield record.data.fields


def _member(value: Any, name: str) -> Any:
    if isinstance(value, Mapping):
        return value.get(name, _NOTHING)
    try:
        return getattr(value, name, _NOTHING)
    except LookupError:  # a header that the message does not have
        return _NOTHING


def noun(topic: Topic[P]) -> Noun[P]:
    """Return the noun for a topic's messages."""
    model: Any = topic.model  # events have none: their fields differ from one to another
    fields = DeadLetter.__dataclass_fields__ if topic is topics.DEAD_LETTERS else model and model.model_fields
    article = "an" if topic.noun[0] in "aeiou" else "a"
    return Noun(f"{article} {topic.noun}", fields)


frame = noun(topics.FRAMES)
track = noun(topics.TRACKS)
tracked = noun(topics.TRACKED)
estimates = noun(topics.ESTIMATES)
telemetry = noun(topics.TELEMETRY)
truth = noun(topics.TRUTH)
acknowledgement = noun(topics.RESPONSES)
agent = noun(topics.AGENT_STATE)
event: Noun[Event] = noun(topics.EVENTS)
dead_letter: Noun[DeadLetter] = noun(topics.DEAD_LETTERS)
