"""What no tool notices: that every package stands in the lists of the tools, and that the locks name no address."""

import re
import tomllib
from pathlib import Path

import pytest

from qiki_harness.manifest.sources import PACKAGES

ROOT = Path(__file__).parents[3]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
SERVICES = {path.parent.name for path in (ROOT / "services").glob("*/__init__.py")}
STOREYS = PROJECT["tool"]["importlinter"]["contracts"][0]["layers"]


def test_services_stand_side_by_side_between_harness_and_library():
    harness, services, library, contracts = STOREYS
    assert (harness, library, contracts) == ("qiki_harness", "qiki", "generated")
    assert set(services.split(" | ")) == SERVICES


@pytest.mark.parametrize(
    "listed",
    [
        PROJECT["tool"]["importlinter"]["root_packages"],
        PROJECT["tool"]["mypy"]["packages"],
        [Path(package).name for package in PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]],
        PROJECT["tool"]["ruff"]["lint"]["isort"]["known-first-party"],
        PACKAGES,
    ],
    ids=["import-linter", "mypy", "wheel", "isort", "manifest"],
)
def test_every_package_is_listed(listed):
    assert SERVICES | {"qiki", "qiki_harness"} <= set(listed)


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_what_makes_a_start_quick_is_imported_first(service):
    entry = (ROOT / "services" / service / "__main__.py").read_text()
    first = re.search(r"^(?:import|from) (\S+)", entry, re.MULTILINE)
    assert first
    assert first[1] == "qiki.runtime.lean"


@pytest.mark.parametrize("lock", sorted((ROOT / "locks").glob("*.txt")), ids=lambda path: path.name)
def test_a_lock_pins_and_hashes_everything_and_names_no_address(lock):
    text = lock.read_text()
    pins = re.findall(r"^[A-Za-z0-9._-]+==\S+.*(?:\n    --hash=sha256:[0-9a-f]{64}(?: \\)?)+", text, re.MULTILINE)
    entries = [line for line in text.splitlines() if line and not line.startswith((" ", "#", "--"))]
    assert len(pins) == len(entries) > 0
    assert "://" not in text


def test_what_runs_carries_no_test_tools():
    runtime = (ROOT / "locks/runtime.txt").read_text()
    assert not re.search(r"^(pytest|hypothesis|mypy|ruff|tox|scipy)\b", runtime, re.MULTILINE)
