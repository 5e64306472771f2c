"""A broken YAML file gets one line: file, line, field, what was wrong."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import pytest
import yaml
from pydantic import BaseModel, ConfigDict, Field, field_validator

from qiki.botspec.spec import DEFAULT_SPEC
from qiki.world.scenario.model import SHIPPED
from qiki.yamlfile import QUICK_TEXT, FileError, _Loader, _QuickLoader, load_yaml_model


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
        ("name: !secret x\n", "1: not valid YAML: could not determine a constructor for the tag '!secret'"),
        ("name: calm\n---\nname: wild\n", "2: not valid YAML: expected a single document in the stream, but found"),
        ("name: calm\ntable:\n  x: !!int many\n", "3: not valid YAML: invalid literal for int()"),
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
    assert "contacts.0" in fault("name: calm\ncontacts: &all [*all]\n")


def test_a_file_that_is_not_there_or_is_no_text_is_refused(tmp_path: Path):
    with pytest.raises(FileError, match=r"nowhere.yaml: cannot be read: No such file or directory$"):
        load_yaml_model(tmp_path / "nowhere.yaml", World)
    with pytest.raises(FileError, match=rf"^{tmp_path}: cannot be read: Is a directory$"):
        load_yaml_model(tmp_path, World)
    (tmp_path / "latin.yaml").write_bytes("name: Köln".encode("latin-1"))
    with pytest.raises(FileError, match=r"latin.yaml: is not UTF-8 text$"):
        load_yaml_model(tmp_path / "latin.yaml", World)


@pytest.mark.parametrize("path", [DEFAULT_SPEC, *sorted(SHIPPED.glob("*.yaml"))], ids=lambda path: path.stem)
def test_both_loaders_compose_the_same(path: Path):
    """The quick one is used for short files only."""
    text = path.read_text()
    assert len(text) <= QUICK_TEXT
    assert yaml.serialize(yaml.compose(text, _QuickLoader)) == yaml.serialize(yaml.compose(text, _Loader))
