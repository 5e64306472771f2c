"""The workspace as its user has it: tools at hand, no network needed, also on a checkout that it cannot write."""

import re

import pytest

OFFLINE = {
    "UV_OFFLINE": "1",
    "PIP_NO_INDEX": "1",
    "HTTPS_PROXY": "http://127.0.0.1:9",
    "HTTP_PROXY": "http://127.0.0.1:9",
}


def test_tools_are_at_hand(containers):
    for command in ("pytest --version", "tox --version", "pre-commit --version", "qiki --version", "docker --version"):
        status, output = containers.execute("qiki-dev", *command.split())
        assert status == 0, output
    status, output = containers.execute("qiki-dev", "git", "-C", "/workspace", "status", "--short")
    assert status == 0, output


def test_this_checkout_is_one_that_it_cannot_write(containers):
    """The test's stack runs as a stranger; so the other tests of this file show what works all the same."""
    assert containers.execute("qiki-dev", "touch", "/workspace/x")[0] != 0


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("stage", "words"),
    [
        ("unit", ["-k", "contracts"]),
        ("integration", ["-k", "test_watching or test_telemetry_flow"]),
        ("smoke", []),
    ],
)
def test_stages_run_on_what_the_image_holds(containers, stage, words):
    status, output = containers.execute("qiki-dev", "tox", "-e", stage, "--", *words, **OFFLINE)
    assert status == 0, output[-4000:]
    assert re.search(r"\d+ passed", output)
    assert "failed" not in output


@pytest.mark.timeout(600)
def test_lint_and_types_run_too(containers):
    status, output = containers.execute("qiki-dev", "tox", "-e", "lint,type", **OFFLINE)
    assert status == 0, output[-4000:]


def test_the_agent_is_restarted_from_within(containers):
    find = ("pgrep", "-of", "^python -m q_core_agent")
    before = containers.execute("qiki-dev", *find)[1]
    status, output = containers.execute("qiki-dev", "qiki", "restart", "qiki-dev")
    assert status == 0, output
    assert "is ready again" in output
    assert containers.execute("qiki-dev", *find)[1] != before


def test_an_engine_of_the_users_own_runs_in_the_agent(containers, watch):
    install = "uv pip install --target /home/qiki/packages --no-deps --no-build-isolation docs/examples/avoidance"
    status, output = containers.execute("qiki-dev", *install.split(), **OFFLINE)
    assert status == 0, output
    try:
        assert containers.execute("qiki-dev", "qiki", "restart", "qiki-dev")[0] == 0
        with watch() as twin:
            twin.await_agent_state(lambda state: "avoidance" in state.engines)
    finally:
        containers.execute("qiki-dev", "rm", "-r", "/home/qiki/packages")
        containers.execute("qiki-dev", "qiki", "restart", "qiki-dev")


def test_without_an_engine_it_says_where_to_restart_the_others(containers):
    status, output = containers.execute("qiki-dev", "qiki", "restart", "q-sim-radar")
    assert status == 2
    assert output.count("\n") == 1
    assert "docker compose on the host" in output
