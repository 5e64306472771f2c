"""`qiki` on the machine of the engine: it finds the compose stack of its checkout where no native one runs."""

import os
import subprocess
import sys
from dataclasses import replace

import pytest

from qiki_harness.stack.model import ServiceStatus, StackInfo
from qiki_harness.stack.runfolder import RunFolder

QIKI = [sys.executable, "-c", "from qiki_harness.cli import main; main()"]


@pytest.fixture
def qiki(container_stack, containers, tmp_path):
    environment = os.environ | {"COMPOSE_PROJECT_NAME": container_stack.project, "QIKI_RUN_DIR": str(tmp_path)}

    def run(*words):
        return subprocess.run([*QIKI, *words], env=environment, capture_output=True, text=True, check=False)

    return run


def test_ps_shows_its_services(qiki):
    lines = qiki("ps").stdout.splitlines()
    assert len(lines) == 1 + 9
    assert sum(" healthy " in line for line in lines) == 7


def test_logs_are_those_of_what_runs(qiki, tmp_path):
    """A native stack of that name has ended."""
    log = tmp_path / "default" / "logs" / "registrar.log"
    log.parent.mkdir(parents=True)
    log.write_text("long ago\n")
    known = StackInfo("default", tmp_path / "default", tmp_path / "compose.yml", 1, tmp_path / "control.sock", 0.0)
    RunFolder(tmp_path / "default").write(replace(known, services={"registrar": ServiceStatus("registrar", str(log))}))
    said = qiki("logs", "registrar").stdout
    assert "registrar" in said
    assert "long ago" not in said


def test_restart_restarts_a_container(qiki, containers):
    before = containers.of_service("registrar").attrs["State"]["StartedAt"]
    done = qiki("restart", "registrar")
    assert done.stdout.startswith("registrar is ready again after "), done.stderr
    assert containers.of_service("registrar").attrs["State"]["StartedAt"] != before


def test_an_unknown_service_is_one_line(qiki):
    done = qiki("restart", "nobody")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "no container of service 'nobody'" in done.stderr
