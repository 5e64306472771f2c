"""Whether what an engine gave are proposals at all: its fields are whatever its author put there."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from numbers import Real
from typing import Any

from q_core_agent.proposals import Action, Proposal
from q_core_agent.turns import EngineTurn, Fault, FaultKind
from qiki.contracts.enums import CommandType, ProposalType
from qiki.contracts.events.agent import Evidence

MAX_PROPOSALS = 100
MAX_TEXT = 1000

Check = Callable[[Any], bool]


def checked(turn: EngineTurn) -> EngineTurn:
    """A turn whose proposals are well formed; else it failed. What a faulty engine gave does not count."""
    fault = turn.fault
    if fault is None and (text := fault_of(turn.proposals)):
        fault = Fault(FaultKind.FAILED, text)
    return turn if fault is None else replace(turn, proposals=(), fault=fault)


def fault_of(proposals: object) -> str | None:
    """The first thing that is wrong with an engine's proposals, in one line; None when they are well formed."""
    if not isinstance(proposals, tuple):
        return f"gave {_kind(proposals)} (expected proposals)"
    if len(proposals) > MAX_PROPOSALS:
        return f"gave {len(proposals)} proposals (expected at most {MAX_PROPOSALS})"
    return next((fault for proposal in proposals for fault in _proposal_faults(proposal)), None)


def _proposal_faults(proposal: object) -> Iterator[str]:
    if not isinstance(proposal, Proposal):
        yield f"gave {_kind(proposal)} (expected a Proposal)"
        return
    yield from _field_faults(proposal, PROPOSAL_FIELDS, "")
    if isinstance(proposal.actions, tuple):
        for index, action in enumerate(proposal.actions):
            yield from _field_faults(action, ACTION_FIELDS, f"actions.{index}.")


def _field_faults(record: object, fields: Mapping[str, tuple[Check, str]], where: str) -> Iterator[str]:
    for name, (check, expected) in fields.items():
        value = getattr(record, name, None)
        if not check(value):
            yield f"{where}{name} is {_kind(value)} (expected {expected})"


def _kind(value: object) -> str:
    """A value for people: a number as it is, anything else by its type."""
    return repr(value) if type(value) in {int, float, bool} else f"of type {type(value).__name__}"


def _number(value: object) -> bool:
    return not isinstance(value, bool) and isinstance(value, Real) and _finite(value)


def _finite(value: Real) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # an int beyond every float
        return False


def _text(value: object) -> bool:
    return isinstance(value, str) and value.isprintable() and len(value) <= MAX_TEXT


def _every(check: Check) -> Check:
    return lambda value: isinstance(value, tuple) and all(map(check, value))


def _a(*kinds: type) -> Check:
    return lambda value: isinstance(value, kinds)


def _labels(value: object) -> bool:
    return isinstance(value, Mapping) and all(_text(key) and _text(label) for key, label in value.items())


NUMBER = (_number, "a finite number")
TEXT = (_text, f"one line of at most {MAX_TEXT} characters")
TEXTS = (_every(_text), "a tuple of lines")

PROPOSAL_FIELDS: Mapping[str, tuple[Check, str]] = {
    "actions": (_every(_a(Action)), "a tuple of Actions"),
    "justification": TEXT,
    "type": (_a(ProposalType), "a ProposalType"),
    "priority": NUMBER,
    "confidence": NUMBER,
    "expected_duration_s": NUMBER,
    "rests_on": (_every(_a(Evidence)), "a tuple of Evidence"),
    "key": TEXT,
    "depends_on": TEXTS,
    "conflicts_with": TEXTS,
    "metadata": (_labels, "a mapping of lines to lines"),
}
ACTION_FIELDS: Mapping[str, tuple[Check, str]] = {
    "actuator": TEXT,
    "command": (_a(CommandType), "a CommandType"),
    "value": NUMBER,
    "unit": TEXT,
    "duration_s": NUMBER,
}
