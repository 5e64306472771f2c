"""A call of an engine: its checked proposals, or its fault.

The fields of an engine's proposals can hold anything. Valid proposals are copied into plain values in the engine's own
thread, so no code of its classes reaches the agent.
"""

import math
from collections.abc import Callable, Mapping
from itertools import islice
from numbers import Real
from traceback import format_exception, format_exception_only
from typing import Any, TypeVar

from qiki.agent.engine import Engine, EngineFault, EngineResult, FaultKind
from qiki.agent.proposals import Action, Proposal
from qiki.agent.world import World
from qiki.contracts.enums import CommandType, ProposalType
from qiki.contracts.events import Evidence
from qiki.text import printable

MAX_PROPOSALS, MAX_ACTIONS = 100, 16
MAX_NAMES = 100
"""Most keys, and most messages, that a proposal may name."""
MAX_TEXT, MAX_TRACE = 1000, 10_000
"""Characters."""
SEQUENCES = range(1 << 64)
SHOWN = range(-(10**9), 10**9)
"""Integers that a fault shows by value; others are shown by type."""

Caught = tuple[type[BaseException], ...]
RAISED_BY_ENGINES: Caught = (Exception, SystemExit)
"""An engine does not end the process. KeyboardInterrupt is the user's, where the caller's thread asks the engine."""
Reader = Callable[[Any], Any]
T = TypeVar("T")


class MalformedError(Exception):
    """An engine gave something that is not a valid proposal; the text says why."""


def ask_engine(name: str, engine: Engine, world: World, caught: Caught = RAISED_BY_ENGINES) -> EngineResult:
    """Have an engine propose, in the caller's thread; `caught` are the exceptions that are the engine's fault."""
    try:
        given = tuple(islice(engine.propose(world), MAX_PROPOSALS + 1))  # one too many is enough to refuse all
        return EngineResult(name, read_proposals(given))
    except MalformedError as error:
        fault = EngineFault(FaultKind.FAILED, _one_line(str(error)))
    except caught as error:
        fault = EngineFault(FaultKind.FAILED, describe(error), "".join(format_exception(error))[:MAX_TRACE])
    return EngineResult(name, fault=fault)


def describe(error: BaseException) -> str:
    """Return an exception in one line of at most `MAX_TEXT`, also one whose own text fails."""
    return _one_line("".join(format_exception_only(error)))


def read_proposals(given: tuple[object, ...]) -> tuple[Proposal, ...]:
    """Return an engine's proposals as plain values: every number a finite float, every text one line.

    Raises:
        MalformedError: a value that is not a valid proposal, or too many of them.
    """
    if len(given) > MAX_PROPOSALS:
        raise MalformedError(f"gave more than {MAX_PROPOSALS} proposals")
    return tuple(map(_proposal, given))


def _one_line(text: str) -> str:
    """Return the beginning of a text, in printable characters."""
    return printable(" ".join(text[:MAX_TEXT].split()))[:MAX_TEXT]


def _proposal(given: object) -> Proposal:
    if not isinstance(given, Proposal):
        raise MalformedError(f"gave {_kind(given)} (expected a Proposal)")
    return _record(Proposal, given, PROPOSAL_FIELDS)


def _record(kind: type[T], given: object, fields: Mapping[str, tuple[Reader, str]], where: str = "") -> T:
    """Return a copy of a record, with each field validated."""
    values = {}
    for name, (read, expected) in fields.items():
        value = getattr(given, name, None)
        try:
            values[name] = read(value)
        except (ValueError, OverflowError):  # invalid, beyond every float, or refused by the contract
            raise MalformedError(f"{where}{name} is {_kind(value)} (expected {expected})") from None
    return kind(**values)


def _kind(value: object) -> str:
    """Return a number as it is, any other value by its type."""
    shown = type(value) in {float, bool} or (type(value) is int and value in SHOWN)
    return repr(value) if shown else f"of type {type(value).__name__}"


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(number := float(value)):
        raise ValueError
    return number


def _text(value: object) -> str:
    text = str.__str__(_a(str)(value))
    if len(text) > MAX_TEXT or not text.isprintable():
        raise ValueError
    return text


def _sequence(value: object) -> int | None:
    if value is not None and (type(value) is not int or value not in SEQUENCES):
        raise ValueError
    return value


def _a(kind: type[T]) -> Callable[[Any], T]:
    def read(value: object) -> T:
        if isinstance(value, kind):
            return value
        raise ValueError

    return read


def _several(read: Reader, most: int) -> Reader:
    def read_all(value: object) -> tuple[Any, ...]:
        items = tuple(islice(_a(tuple)(value), most + 1))
        if len(items) > most:
            raise ValueError
        return tuple(map(read, items))

    return read_all


def _actions(value: object) -> tuple[Action, ...]:
    several = enumerate(_several(_a(Action), MAX_ACTIONS)(value))
    return tuple(_record(Action, one, ACTION_FIELDS, f"actions.{place}.") for place, one in several)


def _evidence(value: object) -> Evidence:
    given = _a(Evidence)(value)
    return Evidence(subject=_text(given.subject), sequence=_sequence(given.sequence), age_s=_number(given.age_s))


NUMBER = (_number, "a finite number")
TEXT = (_text, f"one line of at most {MAX_TEXT} characters")
TEXTS = (_several(_text, MAX_NAMES), f"a tuple of at most {MAX_NAMES} lines")

PROPOSAL_FIELDS: Mapping[str, tuple[Reader, str]] = {
    "actions": (_actions, f"a tuple of at most {MAX_ACTIONS} Actions"),
    "justification": TEXT,
    "type": (_a(ProposalType), "a ProposalType"),
    "priority": NUMBER,
    "confidence": NUMBER,
    "expected_duration_s": NUMBER,
    "rests_on": (_several(_evidence, MAX_NAMES), f"a tuple of at most {MAX_NAMES} messages as Evidence"),
    "key": TEXT,
    "depends_on": TEXTS,
    "conflicts_with": TEXTS,
}
ACTION_FIELDS: Mapping[str, tuple[Reader, str]] = {
    "actuator": TEXT,
    "command": (_a(CommandType), "a CommandType"),
    "value": NUMBER,
    "unit": TEXT,
    "duration_s": NUMBER,
}
