"""docs/limits.md: each figure is that of the constant, field or line that it names."""

import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

ROOT = Path(__file__).parents[3]
UNITS = {"KB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30, "m": 1 << 20, "g": 1 << 30}
FIGURE = re.compile(r"(\d[\d,]*(?:\.\d+)?)(?: (KB|MB|GB|\w+))? \(`([\w./-]+[.:]\w+)`")
ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in (ROOT / "docs/limits.md").read_text().splitlines()
    if line.startswith("| ") and not line.startswith("| ---")
][1:]
FIGURES = [found for row in ROWS for found in FIGURE.findall(row[2] if len(row) == 4 else "")]


def value_of(name: str) -> float:
    """The value of `module.NAME`, of a model's field (its default in settings, else its bound), of a file's line."""
    file, colon, key = name.partition(":")
    if colon:
        return in_file(ROOT / file, key)
    module, _, attribute = name.rpartition(".")
    try:
        found: Any = getattr(import_module(module), attribute)
    except ModuleNotFoundError:
        module, _, model = module.rpartition(".")
        return of_field(getattr(import_module(module), model), attribute)
    return float(found)


def of_field(model: type[BaseModel], name: str) -> float:
    field: FieldInfo = model.model_fields[name]
    if issubclass(model, BaseSettings):
        return float(field.default)
    bounds = [getattr(one, key) for one in field.metadata for key in ("le", "max_length") if hasattr(one, key)]
    return float(bounds[0])


def in_file(path: Path, key: str) -> float:
    found = re.search(rf"^ *{key}: (\d+)(\w*)", path.read_text(), re.MULTILINE)
    assert found, f"{path.name} has no {key}"
    return int(found[1]) * UNITS.get(found[2], 1)


def test_every_row_has_its_four_cells():
    assert [row for row in ROWS if len(row) != 4] == []
    assert len(ROWS) > 40


def test_every_figure_with_a_name_is_read():
    named = [name for row in ROWS for name in re.findall(r"\(`([\w./-]+[.:]\w+)`", " ".join(row))]
    assert [name for _, _, name in FIGURES] == named
    assert len(named) > 40


@pytest.mark.parametrize(("figure", "unit", "name"), FIGURES, ids=[name for _, _, name in FIGURES])
def test_a_figure_is_that_of_what_it_names(figure: str, unit: str, name: str):
    assert float(figure.replace(",", "")) * UNITS.get(unit if unit != "m" else "", 1) == value_of(name)
