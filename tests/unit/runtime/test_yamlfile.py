"""A broken YAML file gets one line: file, line, field, what was wrong."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import pytest
import yaml
from pydantic import BaseModel, ConfigDict, Field, field_validator

from qiki.botspec.spec import DEFAULT_SPEC
from qiki.shipped import SCENARIOS
from qiki.textfile import FileError
from qiki.yamlfile import load_yaml_model
from qiki.yamltree import MAX_DEPTH, MAX_VALUES, Loader, QuickLoader, parse_yaml


class Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Line(Strict):
    kind: Literal["line"]
    speed_mps: float = Field(ge=0)


class Turn(Strict):
    kind: Literal["turn"]
    rate_dps: float


class Contact(Strict):
    id: str
    motion: Annotated[Line | Turn, Field(discriminator="kind")] | None = None
    size: int | Literal["large"] = 1


class World(Strict):
    name: str
    contacts: list[Contact] = []
    table: dict[str, int] = {}

    @field_validator("name")
    @classmethod
    def _one_word(cls, name: str) -> str:
        if " " in name:
            raise ValueError("expected one word,\nwithout blanks")
        return name


@pytest.fixture
def fault(tmp_path: Path) -> Callable[[str], str]:
    """What is said of a file with this content, without the file's name; always a single line."""

    def say(content: str) -> str:
        path = tmp_path / "world.yaml"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        with pytest.raises(FileError) as caught:
            load_yaml_model(path, World)
        text = str(caught.value)
        assert "\n" not in text
        assert text.startswith(f"{path}:{caught.value.line}: ")
        return text.removeprefix(f"{path}:")

    return say


def test_a_good_file_is_read(tmp_path: Path):
    path = tmp_path / "world.yaml"
    path.write_text("name: calm\ncontacts:\n- id: a\n  motion: {kind: turn, rate_dps: 3}\ntable: {x: 1}\n")
    assert load_yaml_model(path, World) == World(
        name="calm", contacts=[Contact(id="a", motion=Turn(kind="turn", rate_dps=3.0))], table={"x": 1}
    )


def test_shared_values_can_be_merged_and_overridden(tmp_path: Path):
    path = tmp_path / "world.yaml"
    path.write_text("name: calm\ncontacts:\n- &first {id: a, size: 2}\n- {<<: *first, id: b}\n")
    assert load_yaml_model(path, World).contacts == [Contact(id="a", size=2), Contact(id="b", size=2)]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("name: calm\ntabel: {}\n", "2: tabel: is not a known key"),
        ("name: calm\nextra:\n  deep:\n    er: 1\n", "2: extra: is not a known key"),
        ("table: {}\n", "1: name: is missing"),
        ("name: calm\ncontacts:\n- id: a\n- size: 2\n", "4: contacts.1.id: is missing"),
        ("name: calm\ncontacts:\n- id: a\n  motion:\n    kind: line\n", "5: contacts.0.motion.speed_mps: is missing"),
        (
            "name: calm\ncontacts:\n- id: a\n  motion:\n    kind: line\n    speed_mps: -1\n",
            "6: contacts.0.motion.speed_mps: Input should be greater than or equal to 0, got -1",
        ),
        (
            "name: calm\ncontacts:\n- id: a\n  size: huge\n",
            "4: contacts.0.size: Input should be a valid integer, unable to parse string as an integer, got 'huge'",
        ),
        ("name: calm\ntable:\n  x: 1\n  y: two\n", "4: table.y: Input should be a valid integer, unable to parse"),
        ("name: two words\n", "1: name: expected one word, without blanks, got 'two words'"),
        ("name: calm\ncontacts: 5\n", "2: contacts: Input should be a valid list, got 5"),
        ("name: calm\ncontacts:\n- just text\n", "3: contacts.0: Input should be a valid dictionary or instance"),
        (
            "name: calm\ncontacts:\n- id: a\n  motion: {kind: orbit}\n",
            "4: contacts.0.motion: Input tag 'orbit' found using 'kind' does not match any of the expected tags",
        ),
    ],
)
def test_a_wrong_value_is_named_by_line_and_field(fault: Callable[[str], str], content: str, said: str):
    assert fault(content).startswith(said)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("name: calm\nname: wild\n", "2: not valid YAML: key 'name' is given twice"),
        ("name: calm\ntable:\n  x: 1\n  x: 2\n", "4: not valid YAML: key 'x' is given twice"),
        ("name: calm\ntable: {x: 1\n", "3: not valid YAML: while parsing a flow mapping, expected ',' or '}'"),
        ("name: calm\n\tcontacts: []\n", "2: not valid YAML: while scanning for the next token, found character '\\t'"),
        ("name: *nobody\n", "1: not valid YAML: found undefined alias 'nobody'"),
        ("name: !secret x\n", "1: not valid YAML: tag '!secret' is not allowed"),
        ("name: calm\n---\nname: wild\n", "2: not valid YAML: expected a single document in the stream, but found"),
        ("name: calm\ntable:\n  x: !!int many\n", "3: not valid YAML: tag 'tag:yaml.org,2002:int' is not allowed"),
        ("name: calm\ntable:\n  x: 0b_\n", "3: not valid YAML: invalid literal for int()"),
        (f"name: calm\ntable:\n  x: {'9' * 5000}\n", "3: not valid YAML: Exceeds the limit (4300 digits)"),
        (f"name: calm\ntable:\n  x: 1{':1' * 400}.0\n", "3: not valid YAML: int too large to convert to float"),
        ("name: calm\ntable:\n  x: 2024-13-45\n", "3: not valid YAML: month must be in 1..12"),
        ("name: calm\n? [a, b]\n: 1\n", "2: not valid YAML: a key must be a single name or number"),
        ("name: calm\ntable: {x: \x07}\n", "2: not valid YAML: character #x07 is not allowed"),
        ("", "1: expected a mapping (key: value lines)"),
        ("- name: calm\n", "1: expected a mapping (key: value lines)"),
    ],
)
def test_what_is_no_yaml_is_named_by_line(fault: Callable[[str], str], content: str, said: str):
    assert fault(content).startswith(said)


def test_a_list_that_holds_itself_is_refused(fault: Callable[[str], str]):
    assert fault("name: calm\ncontacts: &all [*all]\n").endswith("alias 'all' stands within what it names")


def laughs(levels: int, last: str = "x") -> str:
    lines = [f"a0: &a0 [{last}]", *(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, levels))]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("name: calm\ntable: " + "[" * 5000 + "]" * 5000, f"2: not valid YAML: nested deeper than {MAX_DEPTH} levels"),
        ("name: calm\ntable: " + "{a: " * 200_000, f"2: not valid YAML: nested deeper than {MAX_DEPTH} levels"),
        ("name: calm\n" + "- " * 100_000, "2: not valid YAML: "),
        ("name: calm\n" + "".join(" " * i + "a:\n" for i in range(1, 900)), "2: not valid YAML: "),
        (laughs(9), f"6: not valid YAML: more than {MAX_VALUES} values"),
        (
            "\n".join(f"a{i}: &a{i} [{f'*a{i - 1}' if i else ''}]" for i in range(70)),
            "64: not valid YAML: nested deeper",
        ),
        ("table: [" + "x, " * MAX_VALUES + "]", f"1: not valid YAML: more than {MAX_VALUES} values"),
    ],
    ids=["flow", "keys", "list", "block", "laughs", "chain", "values"],
)
def test_what_a_few_bytes_ask_for_is_bounded(fault: Callable[[str], str], content: str, said: str):
    began_s = time.process_time()
    assert fault(content).startswith(said)
    assert time.process_time() - began_s < 30


def test_the_deepest_that_is_allowed_and_aliases_are_read():
    deep = "a: " + "[" * (MAX_DEPTH - 2) + "1" + "]" * (MAX_DEPTH - 2)
    assert parse_yaml(deep) is not None
    assert yaml.serialize(parse_yaml("a: &x [1]\nb: *x")) == yaml.serialize(yaml.compose("a: &x [1]\nb: *x"))


def test_an_error_is_short_whatever_is_wrong(fault: Callable[[str], str]):
    for content in (f"name: {'x ' * 50_000}", f"{'k' * 400}: 1", f"name: calm\ntable: {{x: '{'9' * 90_000}'}}"):
        assert len(fault(content)) < 1_000


def test_a_file_that_is_not_there_or_is_no_text_is_refused(tmp_path: Path):
    with pytest.raises(FileError, match=r"nowhere.yaml: cannot be read: No such file or directory$"):
        load_yaml_model(tmp_path / "nowhere.yaml", World)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FileError, match=r"pipe: is no regular file$"):
        load_yaml_model(tmp_path / "pipe", World)
    with (tmp_path / "huge.yaml").open("wb") as file:
        file.truncate(300 << 20)
    with pytest.raises(FileError, match=r"huge.yaml: is longer than 1 MiB$"):
        load_yaml_model(tmp_path / "huge.yaml", World)
    with pytest.raises(FileError, match=rf"^{tmp_path}: is a folder$"):
        load_yaml_model(tmp_path, World)
    (tmp_path / "latin.yaml").write_bytes("name: Köln".encode("latin-1"))
    with pytest.raises(FileError, match=r"latin.yaml:1: is not UTF-8 text$"):
        load_yaml_model(tmp_path / "latin.yaml", World)


@pytest.mark.parametrize("path", [DEFAULT_SPEC, *sorted(SCENARIOS.glob("*.yaml"))], ids=lambda path: path.stem)
def test_both_loaders_compose_the_same(path: Path):
    text = path.read_text()
    root = parse_yaml(text)
    assert root is not None
    for loader in (QuickLoader, Loader):
        assert yaml.serialize(root) == yaml.serialize(yaml.compose(text, loader))
