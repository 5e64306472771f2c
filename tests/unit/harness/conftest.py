"""What the harness's tests share."""

from collections.abc import Callable
from pathlib import Path

import pytest

from qiki_harness.compose import ComposeFile, Project

ComposeWriter = Callable[[str], ComposeFile]


@pytest.fixture
def compose(tmp_path: Path) -> ComposeWriter:
    """Writes a compose file and reads it."""

    def write(text: str) -> ComposeFile:
        file = tmp_path / "compose.yml"
        file.write_text(text, encoding="utf-8")
        return ComposeFile(file)

    return write


@pytest.fixture
def project(compose: ComposeWriter) -> Callable[..., Project]:
    """Writes a compose file and fills it with some variables."""

    def fill(text: str, **values: str) -> Project:
        return compose(text).project(values, environ={})

    return fill
