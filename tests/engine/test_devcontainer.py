"""The devcontainer as VS Code opens it, with the devcontainer CLI: `tox -e devcontainer`."""

import json
import os
import re

import pytest


@pytest.mark.timeout(1500)
def test_it_opens_with_the_stack_up(workspace):
    assert workspace.result["outcome"] == "success"
    assert workspace.result["remoteWorkspaceFolder"] == "/workspace"
    workspace.stack.containers.wait_ready()
    assert len(workspace.stack.containers.all()) == 9
    assert workspace.run("pwd").strip() == "/workspace"
    assert workspace.run("id", "-u").strip() == str(os.getuid())


def test_the_hooks_are_installed_and_the_checkout_can_be_written(workspace):
    assert (workspace.folder / ".git" / "hooks" / "pre-commit").exists()
    workspace.run("touch", "made-in-the-container")
    assert (workspace.folder / "made-in-the-container").stat().st_uid == os.getuid()


@pytest.mark.timeout(1500)
def test_the_unit_tests_and_the_smoke_test_run_in_it(workspace):
    assert re.search(r"\d{4} passed", workspace.run("pytest", "-q", "-n", "2", "tests/unit"))
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
