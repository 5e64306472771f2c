"""`.env` and `env_file`."""

from pathlib import Path

import pytest

from qiki_harness.compose.nodes import read_env_file
from qiki_harness.errors import ComposeError


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
