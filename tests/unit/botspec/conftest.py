"""A whole specification to break and to change."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from qiki.botspec import DEFAULT_SPEC, BotSpec, load_spec

Change = Callable[[dict[str, Any]], object]


@pytest.fixture(scope="session")
def default_content() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(DEFAULT_SPEC.read_text(encoding="utf-8"))
    return content


@pytest.fixture
def changed(default_content: dict[str, Any], tmp_path: Path) -> Callable[[Change], BotSpec]:
    """The default specification, changed, written down and read again."""

    def change(edit: Change) -> BotSpec:
        content = copy.deepcopy(default_content)
        edit(content)
        path = tmp_path / "changed.yaml"
        path.write_text(yaml.safe_dump(content), encoding="utf-8")
        return load_spec(path)

    return change
