"""What a test's own stack is started with."""

from dataclasses import replace
from pathlib import Path

import pytest

from qiki_harness.errors import StackError
from qiki_harness.stack import StackOptions
from qiki_harness.stack.plan import make_plan
from qiki_harness.stack.ports import PortLocks
from qiki_harness.stack.runfolder import RunFolder
from qiki_harness.twin.native import options_for

THE_SHELLS = {
    "AGENT_ENGINES": "avoidance",
    "AGENT_LOCKSTEP_TICKS": "2",
    "RADAR_SR_THRESHOLD_M": "3000",
    "QIKI_BOT_SPEC": "/no/bot.yaml",
    "QIKI_SEED": "7",
}


def test_the_testers_shell_changes_nothing_but_how_much_is_logged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def environments() -> dict[str, dict[str, str]]:
        options = options_for(tmp_path, {"QIKI_SPEED": "5"})
        locks = PortLocks(tmp_path / "ports", "a test")
        services = make_plan(options, RunFolder(tmp_path), locks).project.services
        locks.release()
        ports = {
            "NATS_URL",
            "NATS_HTTP",
            "NATS_WS",
            "NATS_WS_PORT",
            "QSIM_GRPC",
            "CONSOLE_HTTP",
            "CONSOLE_LISTEN",
            "CONSOLE_WS_PORT",
            "QIKI_CONSOLE_PORT",
            "BRIDGE_HTTP",
            "NATS_PORT",
            "NATS_HTTP_PORT",
            "QSIM_LISTEN",
            "QIKI_HTTP_PORT",
        }
        return {
            name: {key: value for key, value in service.environment.items() if key not in ports}
            for name, service in services.items()
        }

    quiet = environments()
    for name, value in THE_SHELLS.items():
        monkeypatch.setenv(name, value)
    assert environments() == quiet
    assert quiet["q-sim-service"]["QIKI_SPEED"] == "5"
    monkeypatch.setenv("LOG_LEVEL", "DEBUG")
    assert environments()["q-sim-service"]["LOG_LEVEL"] == "DEBUG"


def test_one_service_may_have_variables_that_the_others_have_not(tmp_path: Path):
    options = replace(options_for(tmp_path, {}), environments={"registrar": {"NATS_URL": "nats://127.0.0.1:1"}})
    locks = PortLocks(tmp_path / "ports", "a test")
    services = make_plan(StackOptions.from_json(options.to_json()), RunFolder(tmp_path), locks).project.services
    locks.release()
    assert services["registrar"].environment["NATS_URL"] == "nats://127.0.0.1:1"
    assert services["q-sim-radar"].environment["NATS_URL"] != "nats://127.0.0.1:1"


def test_variables_of_a_service_that_is_not_there_are_refused(tmp_path: Path):
    options = replace(options_for(tmp_path, {}), environments={"registrars": {}})
    with pytest.raises(StackError, match="no service 'registrars' here: there are keys, nats"):
        make_plan(options, RunFolder(tmp_path), PortLocks(tmp_path / "ports", "a test"))
