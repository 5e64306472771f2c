"""The devcontainer as VS Code opens it, with the devcontainer CLI: `tox -e devcontainer`."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from qiki_harness.containers import ContainerStack

ROOT = Path(__file__).parents[2]


class Workspace:
    """A checkout, opened in its devcontainer.

    Args:
        folder: the checkout
        stack: names and ports that nobody else has
    """

    def __init__(self, folder: Path, stack: ContainerStack):
        self.folder = folder
        self.stack = stack
        names = ("NATS_URL", "QSIM_GRPC", "QIKI_COMPOSE_PROJECT")
        own = stack.environment | {"COMPOSE_PROJECT_NAME": stack.project}
        self.environment = {name: value for name, value in own.items() if name not in names}

    def cli(self, command, *words):
        line = [str(ROOT / "scripts" / "devcontainer"), command, "--workspace-folder", str(self.folder), *words]
        done = subprocess.run(line, env=self.environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
        return done.stdout

    def up(self):
        return json.loads(self.cli("up").strip().splitlines()[-1])

    def run(self, *words):
        return self.cli("exec", *words)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """A fresh checkout, opened."""
    if "QIKI_ENGINE_TESTS" not in os.environ:
        pytest.skip("takes an engine and npm: tox -e devcontainer")
    folder = tmp_path_factory.mktemp("devcontainer") / "QIKI_DTMP"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
    stack = ContainerStack.apart(folder / "docker-compose.phase1.yml", "devcontainer")
    opened = Workspace(folder, stack)
    try:
        opened.result = opened.up()
        yield opened
    finally:
        stack.down()


@pytest.mark.timeout(900)
def test_it_opens_with_the_stack_up(workspace):
    assert workspace.result["outcome"] == "success"
    assert workspace.result["remoteWorkspaceFolder"] == "/workspace"
    workspace.stack.containers.wait_ready()
    assert len(workspace.stack.containers.all()) == 7
    assert workspace.run("pwd").strip() == "/workspace"
    assert workspace.run("id", "-u").strip() == str(os.getuid())


def test_the_hooks_are_installed_and_the_checkout_can_be_written(workspace):
    assert (workspace.folder / ".git" / "hooks" / "pre-commit").exists()
    workspace.run("touch", "made-in-the-container")
    assert (workspace.folder / "made-in-the-container").stat().st_uid == os.getuid()


@pytest.mark.timeout(900)
def test_the_unit_tests_and_the_smoke_test_run_in_it(workspace):
    assert re.search(r"\d{4} passed", workspace.run("pytest", "-q", "tests/unit"))
    assert "10 of 10 checks passed" in workspace.run("bash", "scripts/smoke_test.sh")


@pytest.mark.timeout(300)
def test_an_edit_runs_after_a_restart(workspace):
    source = workspace.folder / "services" / "q_sim_radar" / "app.py"
    text = source.read_text()
    assert text.count('"goes on behind"') == 1
    source.write_text(text.replace('"goes on behind"', '"goes on, edited, behind"'))
    assert "is ready again" in workspace.run("qiki", "restart", "q-sim-radar")
    assert any("goes on, edited, behind" in line for line in workspace.stack.containers.logs("q-sim-radar"))


@pytest.mark.timeout(300)
def test_opened_again_it_is_the_same(workspace):
    assert workspace.up()["containerId"] == workspace.result["containerId"]


def test_every_extension_and_port_is_named_once(workspace):
    """The CLI's own reading of the file, comments and all."""
    said = workspace.cli("read-configuration")
    configuration = json.loads(said.strip().splitlines()[-1])["configuration"]
    extensions = configuration["customizations"]["vscode"]["extensions"]
    assert len(extensions) == len(set(extensions))
    assert configuration["portsAttributes"].keys() == set(configuration["forwardPorts"])
