"""YAML with lines (merge keys, repeated keys, syntax errors); `.env` and `env_file`."""

from collections.abc import Callable
from pathlib import Path

import pytest

from qiki_harness.compose.nodes import YamlNode, read, read_env_file
from qiki_harness.errors import ComposeError, HarnessError


def load(tmp_path: Path, text: str) -> YamlNode:
    file = tmp_path / "c.yml"
    file.write_text(text, encoding="utf-8")
    return read(file)


def plain(node: YamlNode) -> object:
    if isinstance(node.value, dict):
        return {key: plain(value) for key, value in node.entries().items()}
    if node.is_list:
        return [plain(item) for item in node.items()]
    return None if node.value is None else node.text()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: &x {k: 1, l: 2}\nb: {<<: *x, l: 3}", {"k": "1", "l": "3"}),
        # The mapping's own key wins also where it stands before the merge.
        ("a: &x {k: 1, l: 2}\nb: {l: 3, <<: *x}", {"k": "1", "l": "3"}),
        # Of several the earlier wins (YAML merge key, 1.1).
        ("a: &x {k: 1}\nc: &y {k: 2, m: 4}\nb: {<<: [*x, *y]}", {"k": "1", "m": "4"}),
        # What is merged may itself merge.
        ("a: &x {k: 1}\nc: &y {<<: *x, m: 2}\nb: {<<: *y}", {"k": "1", "m": "2"}),
        # Merging is shallow.
        ("a: &x {k: {p: 1}}\nb: {<<: *x, k: {q: 2}}", {"k": {"q": "2"}}),
    ],
)
def test_merge_keys(tmp_path: Path, text: str, expected: dict[str, object]):
    assert plain(load(tmp_path, text))["b"] == expected


def test_scalars_keep_their_text(tmp_path: Path):
    assert plain(load(tmp_path, "[yes, 007, 1e3, '', ~, 3.10]")) == ["yes", "007", "1e3", "", None, "3.10"]


def test_a_value_knows_its_line_and_place(tmp_path: Path):
    node = load(tmp_path, "services:\n  nats:\n    ports:\n      - '1'\n").entries()["services"].entries()["nats"]
    port = node.entries()["ports"].items()[0]
    assert (port.line, port.where) == (4, "services.nats.ports[0]")


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a: 1\na: 2", 2, "a: stands twice"),
        ("a: [1\nb: 2", 2, "YAML"),
        ("a: ${B", 1, "a: expected }"),
        ("a:\n  <<: text", 2, "a.<<: expected a mapping to merge"),
        ("", 1, "file: is empty"),
    ],
)
def test_a_broken_file_is_refused_in_one_line(tmp_path: Path, text: str, line: int, words: str):
    with pytest.raises(ComposeError) as caught:
        load(tmp_path, text)
    message = str(caught.value)
    assert f"c.yml:{line}: {words}" in message
    assert "\n" not in message


def test_a_missing_file_is_refused(tmp_path: Path):
    with pytest.raises(HarnessError, match=r"none\.yml: cannot be read: No such file"):
        read(tmp_path / "none.yml")


@pytest.mark.parametrize(
    ("text", "ask", "words"),
    [
        ("a: [1]", lambda n: n.entries()["a"].text(), "a: expected one value"),
        ("a: 1", lambda n: n.entries()["a"].entries(), "a: expected a mapping"),
        ("a: {b: 1}", lambda n: n.entries()["a"].items(), "a: expected a list"),
        ("a: ${X:?gone}", lambda n: n.entries()["a"].text(), "a: variable X is required: gone"),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused(tmp_path: Path, text: str, ask: Callable[[YamlNode], object], words: str):
    with pytest.raises(ComposeError, match=words):
        ask(load(tmp_path, text))


def test_one_value_counts_as_a_list_of_one(tmp_path: Path):
    assert [item.text() for item in load(tmp_path, "a: x").entries()["a"].items()] == ["x"]


def test_lines(tmp_path: Path):
    file = tmp_path / ".env"
    file.write_text("# comment\n\nA=1\nexport B = two words \nC='q # s'\nD=\"x\"\nE=\nF=v # note\nG=a=b\n")
    assert read_env_file(file) == {
        "A": "1", "B": "two words", "C": "q # s", "D": "x", "E": "", "F": "v", "G": "a=b",
    }  # fmt: skip


def test_a_line_without_a_value_is_refused(tmp_path: Path):
    file = tmp_path / ".env"
    file.write_text("A=1\nB\n")
    with pytest.raises(ComposeError, match=r"\.env:2: B: expected KEY=value"):
        read_env_file(file)


def test_a_quote_that_does_not_end_is_refused(tmp_path: Path):
    file = tmp_path / ".env"
    file.write_text("A=1\n# comment\nB='x\n")
    with pytest.raises(ComposeError, match=r"\.env:3: B='x: expected KEY=value"):
        read_env_file(file)
