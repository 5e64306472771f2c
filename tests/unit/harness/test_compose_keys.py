"""Three kinds of keys: honoured, container-only, and all others."""

from collections.abc import Callable

import pytest

from qiki_harness.compose import Project
from qiki_harness.compose.services import CONTAINER_ONLY, HONOURED
from qiki_harness.errors import ComposeError

Fill = Callable[..., Project]


BASE = "services:\n  a:\n    command: x\n"


def test_no_key_is_both_honoured_and_passed_over():
    for level, keys in HONOURED.items():
        assert not keys & CONTAINER_ONLY[level]


@pytest.mark.parametrize("key", sorted(CONTAINER_ONLY["service"]))
def test_container_only_keys_change_nothing(project: Fill, key: str):
    assert project(BASE + f"    {key}: [1]\n") == project(BASE)


@pytest.mark.parametrize(
    ("text", "line", "where"),
    [
        (BASE + "    secrets: [s]\n", 4, "services.a.secrets"),
        (BASE + "    depend_on: [b]\n", 4, "services.a.depend_on"),
        (BASE + "    healthcheck:\n      test: x\n      intervall: 1s\n", 6, "services.a.healthcheck.intervall"),
        (BASE + "    depends_on:\n      a: {required: false}\n", 5, "services.a.depends_on.a.required"),
        (BASE + "configs: {}\n", 4, "configs"),
    ],
)
def test_any_other_key_is_named_with_its_place(project: Fill, text: str, line: int, where: str):
    with pytest.raises(ComposeError) as caught:
        project(text)
    assert (caught.value.line, caught.value.where) == (line, where)
    assert "does not know this key" in str(caught.value)


def test_extensions_are_passed_over_everywhere(project: Fill):
    text = BASE + "    x-note: 1\n    healthcheck: {test: x, x-why: y}\nx-more: {}\n"
    assert project(text).services["a"].healthcheck is not None
