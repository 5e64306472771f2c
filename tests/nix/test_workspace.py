"""The dev shell, and the stack from the app `up`, as their user starts them."""

import os
import signal
import subprocess

import psutil
import pytest

from qiki_harness.stack import Stack
from qiki_harness.testing import until

START_S = 300.0
STOP_S = 60.0


@pytest.fixture(autouse=True)
def _as_in_a_user_s_shell(monkeypatch):
    for name in os.environ:
        if name.startswith(("NATS_", "QIKI_", "QSIM_", "PYTHON", "TOX_", "VIRTUAL_ENV")):
            monkeypatch.delenv(name)


@pytest.fixture(scope="module")
def opened(nix, checkout, tmp_path_factory):
    """A checkout with a repository; what a script says in its dev shell."""
    folder = tmp_path_factory.mktemp("workspace") / "qiki"
    subprocess.run(["cp", "-r", checkout.folder, folder], check=True)
    subprocess.run(["git", "init", "--quiet", folder], check=True)

    def run(script, shell="default"):
        words = ("develop", f"{checkout.flake}#{shell}", "--command", "bash", "-euc", script)
        done = nix.attempt(*words, cwd=folder)
        assert done.returncode == 0, f"{script}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done

    run.folder = folder
    return run


def test_the_dev_shell_says_in_three_lines_what_to_do_and_installs_the_hooks(opened):
    entered = opened("true")
    assert entered.stdout == ""
    assert [line[:12].strip() for line in entered.stderr.splitlines()[-3:]] == ["qiki up", "pytest -q", "docs/nix.md"]
    assert "pre-commit" in (opened.folder / ".git/hooks/pre-commit").read_text()
    assert "pre-commit installed" not in opened("true").stderr


@pytest.mark.parametrize("shell", ["default", "ci"])
def test_in_the_dev_shell_the_checkout_is_what_runs(opened, shell):
    where = opened("python -c 'import qiki, q_sim_service; print(qiki.__file__, q_sim_service.__file__)'", shell).stdout
    assert where.split() == [
        str(opened.folder / "qiki/__init__.py"),
        str(opened.folder / "services/q_sim_service/__init__.py"),
    ]
    assert opened("echo ${VIRTUAL_ENV:-none} ${PYTHONPATH:-none}", shell).stdout.split() == ["none", "none"]


def test_the_tools_are_there_and_an_edit_counts(opened):
    assert "passed" in opened("pytest -q -p no:cacheprovider tests/unit/contracts").stdout
    assert "All checks passed" in opened("ruff check --no-cache qiki").stdout
    assert opened("type -p docker git nats qiki nats-server buf mypy tox").stdout.count("/store/") == 8
    source = opened.folder / "qiki/clock.py"
    text = source.read_text()
    source.write_text(f"{text}\nEDITED = 7\n")
    assert opened("python -c 'import qiki.clock; print(qiki.clock.EDITED)'").stdout == "7\n"
    source.write_text(text)


def test_tox_and_the_scripts_take_the_shell_s_environment(opened):
    stage = opened("tox -q -e unit -- --collect-only -q")
    assert "tests/unit/contracts/test_topics.py: " in stage.stdout
    assert "passed" in opened("scripts/test tests/unit/contracts/test_topics.py").stdout
    assert not (opened.folder / ".venv").exists()


def test_up_starts_the_stack_and_ctrl_c_ends_all_of_it(nix, checkout, tmp_path):
    stack = Stack(tmp_path / ".qiki" / "default")
    processes = []
    with subprocess.Popen(
        nix.command("run", f"{checkout.flake}#up", "--", "--ports", "auto"),
        cwd=tmp_path,
        env=nix.environment,
        stdout=subprocess.PIPE,
        text=True,
    ) as app:
        try:
            until("the stack to be up", lambda: said_up(app), START_S)
            info = stack.info
            processes = [psutil.Process(service.pid) for service in info.services.values() if service.pid]
        finally:
            app.send_signal(signal.SIGINT)
            rest, _ = app.communicate(timeout=STOP_S)
    assert app.returncode == 0, rest
    assert info.services.keys() >= {"nats", "nats-js-init", "q-sim-service", "q-sim-radar", "registrar", "qiki-dev"}
    assert all(service.ready_after_s is not None for service in info.services.values())
    assert len(processes) == len(info.services) - 2  # those that have done their work
    assert psutil.wait_procs(processes, timeout=STOP_S)[1] == []
    assert not stack.alive


def said_up(app):
    """Read a line; whether it says so."""
    line = app.stdout.readline()
    assert line, "it ended"
    return line.startswith("Stack 'default' is up")


def test_smoke_checks_a_stack_of_its_own(nix, checkout, tmp_path):
    done = nix.attempt("run", f"{checkout.flake}#smoke", cwd=tmp_path)
    assert done.returncode == 0, done.stdout[-4000:]
    assert "10 passed" in done.stdout


def test_test_refuses_a_folder_that_is_no_checkout_and_runs_in_one(nix, checkout, opened, tmp_path):
    refused = nix.attempt("run", f"{checkout.flake}#test", cwd=tmp_path)
    assert refused.returncode == 2
    assert f"no checkout of the project: {tmp_path}" in refused.stderr
    words = ("--", "-p", "no:cacheprovider", "tests/unit/contracts/test_topics.py")
    done = nix.attempt("run", f"{checkout.flake}#test", *words, cwd=opened.folder)
    assert done.returncode == 0, done.stdout[-2000:]
