"""What no tool notices: a service that is missing in a list, a lock that names an address."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from hatchling.builders.wheel import WheelBuilder

from qiki_harness.manifest.collect import packages

ROOT = Path(__file__).parents[3]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
BROKER = "nats"  # a server of others, with our configuration; not a package
SERVICES = {path.name for path in (ROOT / "services").iterdir() if list(path.glob("*.py"))} - {BROKER}
COMPOSE = yaml.safe_load((ROOT / "docker-compose.phase1.yml").read_text())["services"]


def test_services_stand_side_by_side_between_harness_and_library():
    harness, services, library, contracts = PROJECT["tool"]["importlinter"]["contracts"][0]["layers"]
    assert (harness, library, contracts) == ("qiki_harness", "qiki", "generated")
    assert set(services.split(" | ")) == SERVICES, (
        "pyproject.toml, [tool.importlinter]: the contract of the storeys must name every folder of services/"
    )


def test_the_linter_of_imports_reads_every_package():
    missing = packages().keys() - set(PROJECT["tool"]["importlinter"]["root_packages"])
    assert not missing, f"pyproject.toml, [tool.importlinter] root_packages: add {', '.join(missing)}"


def test_the_wheel_has_our_packages_and_nothing_else():
    files = [file.distribution_path for file in WheelBuilder(str(ROOT)).recurse_included_files()]
    assert {Path(file).parts[0] for file in files} == packages().keys()
    assert {"registrar/__main__.py", "qiki_harness/keeper.py", "qiki/guard/rules.yaml"} <= set(files)


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_a_folder_of_services_is_a_package_that_runs(service):
    for file in ("__init__.py", "__main__.py"):
        assert (ROOT / "services" / service / file).exists(), f"services/{service}: add {file}"


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_the_stack_has_the_service(service):
    """Nix and the devcontainer take their list from the folders and from the compose file."""
    commands = [entry["command"] for entry in COMPOSE.values()]
    assert ["python", "-m", service] in commands, (
        f'docker-compose.phase1.yml: add a service with the command ["python", "-m", "{service}"]'
    )


def test_in_the_devcontainer_every_service_runs_the_checkout(tmp_path):
    shutil.copytree(ROOT / ".devcontainer", tmp_path / ".devcontainer")
    shutil.copy(ROOT / "docker-compose.phase1.yml", tmp_path)
    subprocess.run(["sh", ".devcontainer/initialize.sh"], cwd=tmp_path, check=True)
    local = yaml.safe_load((tmp_path / ".devcontainer/docker-compose.local.yml").read_text())["services"]
    assert local.keys() == COMPOSE.keys()
    assert {name for name, entry in local.items() if entry.get("volumes") == [".:/workspace:ro"]} == {
        name for name in COMPOSE if name != "qiki-dev"
    }


@pytest.mark.parametrize(
    ("choice", "sources"),
    [
        ({}, None),
        ({"QIKI_DOCKER_SOCKET": ""}, None),
        ({"QIKI_DOCKER_SOCKET": "auto", "DOCKER_HOST": "unix:///run/mine.sock"}, "/run/mine.sock"),
        ({"QIKI_DOCKER_SOCKET": "/run/other.sock"}, "/run/other.sock"),
    ],
)
def test_the_devcontainer_has_the_engine_only_where_that_is_chosen(tmp_path, choice, sources):
    shutil.copytree(ROOT / ".devcontainer", tmp_path / ".devcontainer")
    shutil.copy(ROOT / "docker-compose.phase1.yml", tmp_path)
    kept = {name: value for name, value in os.environ.items() if name not in {"QIKI_DOCKER_SOCKET", "DOCKER_HOST"}}
    subprocess.run(["sh", ".devcontainer/initialize.sh"], cwd=tmp_path, env=kept | choice, check=True)
    local = yaml.safe_load((tmp_path / ".devcontainer/docker-compose.local.yml").read_text())["services"]["qiki-dev"]
    assert local.get("volumes") == (sources and [f"{sources}:/var/run/docker.sock"])
    assert local["group_add"][0] == "${QIKI_GID:-1000}"
    assert len(local["group_add"]) == (2 if sources else 1)


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_what_makes_a_start_quick_is_imported_first(service):
    entry = (ROOT / "services" / service / "__main__.py").read_text(encoding="utf-8")
    first = re.search(r"^(?:import|from) (\S+)", entry, re.MULTILINE)
    assert first
    assert first[1] == "qiki.runtime.lean", f"services/{service}/__main__.py: import qiki.runtime.lean first"


@pytest.mark.parametrize("service", ["nats_js_init", "q_core_agent", "q_sim_radar", "registrar"])
def test_who_computes_nothing_does_not_load_numpy(service):
    """It costs 0.1 s of a start and 14 MB; a room's `__init__` may bring it in unseen."""
    module = "app" if service != "nats_js_init" else "streams"
    code = f"import sys, {service}.{module}; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


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
