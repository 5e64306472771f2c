"""Interpolation against the table of the Compose Specification (chapter Interpolation)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qiki_harness.compose.interpolation import InterpolationError, parse

VALUES = {"SET": "value", "EMPTY": "", "FOO": "foo", "N1": "one"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # Direct substitution
        ("$SET", "value"),
        ("${SET}", "value"),
        ("a${SET}b$SET.c", "avaluebvalue.c"),
        ("$UNSET", ""),
        ("${UNSET}", ""),
        # :-  value if set and non-empty, otherwise default;  -  value if set
        ("${SET:-default}", "value"),
        ("${EMPTY:-default}", "default"),
        ("${UNSET:-default}", "default"),
        ("${SET-default}", "value"),
        ("${EMPTY-default}", ""),
        ("${UNSET-default}", "default"),
        ("${UNSET:-}", ""),
        # :+  replacement if set and non-empty, otherwise empty;  +  replacement if set
        ("${SET:+other}", "other"),
        ("${EMPTY:+other}", ""),
        ("${UNSET:+other}", ""),
        ("${SET+other}", "other"),
        ("${EMPTY+other}", "other"),
        ("${UNSET+other}", ""),
        # :?  value if set and non-empty, otherwise error
        ("${SET:?why}", "value"),
        ("${SET?why}", "value"),
        ("${EMPTY?why}", ""),
        # nested
        ("${UNSET:-${FOO}}", "foo"),
        ("${UNSET:-$FOO/x}", "foo/x"),
        ("${UNSET:-${NEITHER:-default}}", "default"),
        ("${SET:-${FOO}}", "value"),
        ("http://${UNSET:-host}:${NEITHER:-80}/", "http://host:80/"),
        # $$ is a dollar sign
        ("$$SET", "$SET"),
        ("$$$SET", "$value"),
        ("$${SET}", "${SET}"),
        ("${UNSET:-a$$b}", "a$b"),
        # what begins no variable stays
        ("$", "$"),
        ("a$ b", "a$ b"),
        ("$1", "$1"),
        ("}{", "}{"),
        ("${SET}}", "value}"),
        ("${UNSET:-a:b-c?d}", "a:b-c?d"),
    ],
)
def test_specification_table(text: str, expected: str):
    assert parse(text).render(VALUES) == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("${EMPTY:?must be given}", "variable EMPTY is required: must be given"),
        ("${UNSET?must be given}", "variable UNSET is required: must be given"),
        ("${UNSET:?$FOO}", "variable UNSET is required: foo"),
        ("${UNSET:?}", "variable UNSET is required: not set"),
    ],
)
def test_required_variables(text: str, reason: str):
    with pytest.raises(InterpolationError, match=f"^{reason}$"):
        parse(text).render(VALUES)


@pytest.mark.parametrize("text", ["${", "${}", "${1A}", "${SET", "${SET/a/b}", "${UNSET:-a", "${SET:x}", "${ SET}"])
def test_what_is_no_variable_is_refused(text: str):
    with pytest.raises(InterpolationError):
        parse(text)


def test_variables_are_found_within_defaults():
    names = [variable.name for variable in parse("${A:-${B:-x}}$C${D:?$E}").variables()]
    assert names == ["A", "B", "C", "D", "E"]


@given(st.text())
def test_escaped_text_stays_itself(text: str):
    assert parse(text.replace("$", "$$")).render({}) == text


@given(st.text(alphabet="ab $}:-", max_size=8), st.text(max_size=8))
def test_a_set_variable_is_its_value_whatever_the_default(default: str, value: str):
    template = parse("${X-" + default.replace("$", "$$").replace("}", "") + "}")
    assert template.render({"X": value}) == value
