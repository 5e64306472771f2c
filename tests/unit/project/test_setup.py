"""`scripts/setup` on a .venv that is there: what it keeps, and what it does not take for good."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SETUP = Path(__file__).parents[3] / "scripts/setup"
STAMP = "{ pwd && cat locks/build.txt locks/runtime.txt pyproject.toml; } | cksum > .venv/.runtime"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """One whose .venv is current, and where to make it anew fails at once."""
    for name in ("scripts", "locks", ".venv/bin", "broken"):
        (tmp_path / name).mkdir(parents=True)
    shutil.copy(SETUP, tmp_path / "scripts")
    for name in ("locks/build.txt", "locks/runtime.txt", "pyproject.toml"):
        (tmp_path / name).touch()
    for name in ("python", "uv"):
        (tmp_path / ".venv/bin" / name).symlink_to(sys.executable)
    # Not a script of our own: where temporary files are may be mounted noexec.
    (tmp_path / "broken/python3").symlink_to(str(shutil.which("false")))
    subprocess.run(["bash", "-c", STAMP], cwd=tmp_path, check=True)
    return tmp_path


def setup(checkout: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": f"{checkout / 'broken'}{os.pathsep}{os.environ['PATH']}", **variables}
    return subprocess.run(
        ["bash", "scripts/setup"], cwd=checkout, env=environment, capture_output=True, text=True, check=False
    )


def test_what_is_current_is_left_alone(checkout: Path):
    done = setup(checkout)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_an_environment_whose_interpreter_is_gone_is_not_current(checkout: Path):
    (checkout / ".venv/bin/python").unlink()
    (checkout / ".venv/bin/python").symlink_to(checkout / "gone")
    assert "3.11 to 3.13 are supported" in setup(checkout).stderr


@pytest.mark.parametrize(("python", "words"), [("python3.99", "is not there"), ("broken/python3", "are supported")])
def test_an_interpreter_that_cannot_be_had_costs_nothing(checkout: Path, python: str, words: str):
    done = setup(checkout, PYTHON=python)
    assert done.returncode == 2
    assert words in done.stderr
    assert (checkout / ".venv/bin/python").exists()
