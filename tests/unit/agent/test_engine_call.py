"""Whatever an engine gives: proposals of plain values, or a fault that says what is wrong."""

import math
from collections.abc import Callable
from dataclasses import fields, replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qiki.agent.engine import EngineFault, FaultKind
from qiki.agent.engine_call import (
    ACTION_FIELDS,
    MAX_ACTIONS,
    MAX_NAMES,
    MAX_PROPOSALS,
    MAX_TEXT,
    PROPOSAL_FIELDS,
    MalformedError,
    ask_engine,
    read_proposals,
)
from qiki.agent.proposals import Action, Proposal, fire
from qiki.agent.world import World
from qiki.contracts.events import Evidence

PUSH = fire("forward", 50.0, 1.0)
GOOD = Proposal((PUSH,), "it seems wise")
SEEN = Evidence(subject="qiki.radar.v1.tracks", sequence=9, age_s=0.0)
WORLD = World(tick=1)
LINE = "one line of at most 1000 characters"


class GuardReport(str):
    """Text that says something else when it is asked."""

    __slots__ = ()

    def __str__(self) -> str:
        return "evil"

    def __format__(self, _: str) -> str:
        raise RuntimeError("evil")


def fault_of(*proposals: object) -> str | None:
    try:
        read_proposals(proposals)
    except MalformedError as error:
        return str(error)
    return None


def test_good_ones_stay_as_they_are():
    rich = replace(GOOD, actions=(), key="x", depends_on=("y",), rests_on=(SEEN,))
    assert read_proposals(()) == ()
    assert read_proposals((GOOD, rich)) == (GOOD, rich)


def test_numbers_become_floats():
    odd = replace(GOOD, priority=np.float32(0.5), confidence=1, expected_duration_s=Fraction(1, 4))
    odd = replace(odd, actions=(replace(PUSH, value=Fraction(81, 2)),))
    (read,) = read_proposals((odd,))
    values = (read.priority, read.confidence, read.expected_duration_s, read.actions[0].value)
    assert values == (0.5, 1.0, 0.25, 40.5)
    assert {type(value) for value in values} == {float}


def test_classes_of_the_engines_own_stay_with_it():
    (read,) = read_proposals((replace(GOOD, justification=GuardReport("why")),))
    assert (read.justification, type(read.justification)) == ("why", str)


def test_every_field_is_looked_at():
    assert set(PROPOSAL_FIELDS) == {one.name for one in fields(Proposal)}
    assert set(ACTION_FIELDS) == {one.name for one in fields(Action)}


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        (("push",), "gave of type str (expected a Proposal)"),
        ((GOOD, 3), "gave 3 (expected a Proposal)"),
        ((GOOD, 10**5000), "gave of type int (expected a Proposal)"),
        ((GOOD,) * (MAX_PROPOSALS + 1), f"gave more than {MAX_PROPOSALS} proposals"),
    ],
)
def test_no_proposals(given: Any, fault: str):
    assert fault_of(*given) == fault


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"priority": math.nan}, "priority is nan (expected a finite number)"),
        ({"confidence": math.inf}, "confidence is inf (expected a finite number)"),
        ({"priority": 10**5000}, "priority is of type int (expected a finite number)"),
        ({"priority": Fraction(10**400)}, "priority is of type Fraction (expected a finite number)"),
        ({"confidence": True}, "confidence is True (expected a finite number)"),
        ({"confidence": "1"}, "confidence is of type str (expected a finite number)"),
        ({"type": 1}, "type is 1 (expected a ProposalType)"),
        ({"actions": [PUSH]}, "actions is of type list (expected a tuple of at most 16 Actions)"),
        ({"actions": (PUSH, None)}, "actions is of type tuple (expected a tuple of at most 16 Actions)"),
        (
            {"actions": (PUSH,) * (MAX_ACTIONS + 1)},
            "actions is of type tuple (expected a tuple of at most 16 Actions)",
        ),
        ({"actions": (replace(PUSH, value=math.nan),)}, "actions.0.value is nan (expected a finite number)"),
        ({"actions": (PUSH, replace(PUSH, command=1))}, "actions.1.command is 1 (expected a CommandType)"),
        ({"rests_on": ("x",)}, "rests_on is of type tuple (expected a tuple of at most 100 messages as Evidence)"),
        (
            {"rests_on": (Evidence.model_construct(subject="x", sequence=10**5000, age_s=0.0),)},
            "rests_on is of type tuple (expected a tuple of at most 100 messages as Evidence)",
        ),
        ({"depends_on": "ab"}, "depends_on is of type str (expected a tuple of at most 100 lines)"),
        (
            {"conflicts_with": ("x",) * (MAX_NAMES + 1)},
            "conflicts_with is of type tuple (expected a tuple of at most 100 lines)",
        ),
        ({"justification": None}, f"justification is of type NoneType (expected {LINE})"),
        ({"justification": "two\nlines"}, f"justification is of type str (expected {LINE})"),
        ({"key": "\ud800"}, f"key is of type str (expected {LINE})"),
        ({"key": "x" * (MAX_TEXT + 1)}, f"key is of type str (expected {LINE})"),
    ],
)
def test_field(changes: dict[str, Any], fault: str):
    assert fault_of(GOOD, replace(GOOD, **changes)) == fault


def test_as_many_actions_as_may_be():
    assert fault_of(replace(GOOD, actions=(PUSH,) * MAX_ACTIONS)) is None


anything = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.fractions(),
    st.text(),
    st.tuples(st.floats()),
    st.dictionaries(st.text(), st.text()),
)


@given(st.sampled_from(sorted(PROPOSAL_FIELDS)), st.sampled_from(sorted(ACTION_FIELDS)), anything, anything)
def test_all_is_read_or_refused_in_one_line(field: str, action_field: str, value: Any, action_value: Any):
    broken = replace(GOOD, actions=(replace(PUSH, **{action_field: action_value}),))
    fault = fault_of(replace(broken, **{field: value}))
    assert fault is None or fault.isprintable()


class Engine:
    def __init__(self, answer: Callable[[], Any]) -> None:
        self._answer = answer

    def propose(self, world: World) -> Any:
        assert world is WORLD
        return self._answer()


def raising(error: BaseException) -> Engine:
    def answer() -> None:
        raise error

    return Engine(answer)


def test_a_fault_has_the_traceback_of_the_engine():
    fault = ask_engine("bad", raising(ValueError("no idea")), WORLD).fault
    assert fault is not None
    assert "in answer" in fault.trace
    malformed = EngineFault(FaultKind.FAILED, "gave 1 (expected a Proposal)")
    assert ask_engine("bad", Engine(lambda: (1,)), WORLD).fault == malformed


def test_an_engine_cannot_end_the_process_but_its_user_can():
    assert ask_engine("bad", raising(SystemExit(3)), WORLD).fault is not None
    with pytest.raises(KeyboardInterrupt):
        ask_engine("bad", raising(KeyboardInterrupt()), WORLD)
    assert ask_engine("bad", raising(KeyboardInterrupt()), WORLD, caught=(BaseException,)).fault is not None
