"""Whatever an engine gives: proposals, or a fault in one line."""

import math
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from q_core_agent.proposals import Action, Proposal, fire
from q_core_agent.wellformed import ACTION_FIELDS, MAX_PROPOSALS, MAX_TEXT, PROPOSAL_FIELDS, fault_of

PUSH = fire("forward", 50.0, 1.0)
GOOD = Proposal((PUSH,), "it seems wise")


def test_good_ones():
    assert fault_of(()) is None
    assert fault_of((GOOD, replace(GOOD, actions=(), metadata={"plan": "b"}, key="x", depends_on=("y",)))) is None
    assert fault_of((replace(GOOD, priority=np.float32(0.5), confidence=1),)) is None


def test_every_field_is_looked_at():
    assert set(PROPOSAL_FIELDS) == {one.name for one in fields(Proposal)}
    assert set(ACTION_FIELDS) == {one.name for one in fields(Action)}


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        (None, "gave of type NoneType (expected proposals)"),
        (("push",), "gave of type str (expected a Proposal)"),
        ((GOOD, 3), "gave 3 (expected a Proposal)"),
        ((GOOD,) * (MAX_PROPOSALS + 1), f"gave {MAX_PROPOSALS + 1} proposals (expected at most {MAX_PROPOSALS})"),
    ],
)
def test_no_proposals(given: Any, fault: str):
    assert fault_of(given) == fault


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"priority": math.nan}, "priority is nan (expected a finite number)"),
        ({"confidence": math.inf}, "confidence is inf (expected a finite number)"),
        ({"priority": 10**400}, None),
        ({"confidence": True}, "confidence is True (expected a finite number)"),
        ({"confidence": "1"}, "confidence is of type str (expected a finite number)"),
        ({"type": 1}, "type is 1 (expected a ProposalType)"),
        ({"actions": [PUSH]}, "actions is of type list (expected a tuple of Actions)"),
        ({"actions": (PUSH, None)}, "actions is of type tuple (expected a tuple of Actions)"),
        ({"actions": (replace(PUSH, value=math.nan),)}, "actions.0.value is nan (expected a finite number)"),
        ({"actions": (replace(PUSH, command=1),)}, "actions.0.command is 1 (expected a CommandType)"),
        ({"rests_on": ("x",)}, "rests_on is of type tuple (expected a tuple of Evidence)"),
        ({"depends_on": "ab"}, "depends_on is of type str (expected a tuple of lines)"),
        ({"metadata": {"n": 1}}, "metadata is of type dict (expected a mapping of lines to lines)"),
        ({"justification": None}, "justification is of type NoneType (expected one line of at most 1000 characters)"),
        (
            {"justification": "two\nlines"},
            "justification is of type str (expected one line of at most 1000 characters)",
        ),
        ({"key": "\ud800"}, "key is of type str (expected one line of at most 1000 characters)"),
        ({"key": "x" * (MAX_TEXT + 1)}, "key is of type str (expected one line of at most 1000 characters)"),
    ],
)
def test_field(changes: dict[str, Any], fault: str | None):
    found = fault_of((GOOD, replace(GOOD, **changes)))
    assert found is not None
    if fault is not None:
        assert found == fault


anything = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.tuples(st.floats()),
    st.dictionaries(st.text(), st.text()),
)


@given(st.sampled_from(sorted(PROPOSAL_FIELDS)), st.sampled_from(sorted(ACTION_FIELDS)), anything, anything)
def test_never_raises_and_says_it_in_one_line(field: str, action_field: str, value: Any, action_value: Any):
    broken = replace(GOOD, actions=(replace(PUSH, **{action_field: action_value}),))
    fault = fault_of((replace(broken, **{field: value}),))
    assert fault is None or fault.isprintable()
