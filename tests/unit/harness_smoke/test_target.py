"""Which stack is meant: the environment's, else the native one of a name."""

import re

import pytest

from qiki.runtime.settings import SettingsError, load_settings
from qiki_harness.errors import HarnessError
from qiki_harness.smoke.__main__ import main
from qiki_harness.smoke.target import SmokeSettings, find_target, native_target
from qiki_harness.stack import StackInfo
from qiki_harness.twin.backing import BRIDGE

VARIABLES = ("NATS_URL", "QSIM_GRPC", "BRIDGE_HTTP", "QIKI_BOT_SPEC", "QIKI_RUN_DIR", "QIKI_KEYS_DIR", "TESTS_KEYS_DIR")
BOTH = {"NATS_URL": "nats://nats:4222", "QSIM_GRPC": "q-sim-service:50051"}


@pytest.fixture
def settings(monkeypatch):
    def read(**environment):
        for name in VARIABLES:
            monkeypatch.delenv(name, raising=False)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        return load_settings(SmokeSettings)

    return read


def test_the_environment_names_a_stack_and_the_services_names_are_the_containers(settings):
    target = find_target(settings(**BOTH))
    assert target.stack.addresses == BOTH
    assert target.stack.http_url(BRIDGE) == "http://faststream-bridge:9102"
    assert "nats://nats:4222" in target.name


def test_the_environment_may_name_the_bridge_too(settings):
    target = find_target(settings(**BOTH, BRIDGE_HTTP="http://127.0.0.1:7"))
    assert target.stack.http_url(BRIDGE) == "http://127.0.0.1:7"


@pytest.mark.parametrize(("given", "missing"), [("NATS_URL", "QSIM_GRPC"), ("QSIM_GRPC", "NATS_URL")])
def test_one_of_both_names_no_stack(settings, given, missing):
    with pytest.raises(HarnessError, match=f"^{missing} is not set"):
        find_target(settings(**{given: BOTH[given]}))


def test_an_address_that_is_none_is_named(settings):
    with pytest.raises(SettingsError, match=r"NATS_URL: expected nats://HOST:PORT, got 'nats'"):
        settings(**BOTH | {"NATS_URL": "nats"})


def test_a_native_stack_says_itself_where_everything_is(tmp_path):
    info = StackInfo(
        "mine", tmp_path, tmp_path / "c.yml", 1, tmp_path / "s", 0.0,
        addresses=BOTH | {"BRIDGE_HTTP": "http://127.0.0.1:9"},
    )  # fmt: skip
    target = native_target(info)
    assert (target.name, target.stack.http_url(BRIDGE)) == ("the native stack 'mine'", "http://127.0.0.1:9")
    assert target.stack.addresses["NATS_URL"] == "nats://nats:4222"


def test_where_no_stack_is_one_line_says_so_and_the_status_is_2(settings, tmp_path, capsys):
    settings(QIKI_RUN_DIR=str(tmp_path), NO_COLOR="1")
    assert main(["--name", "nobody"]) == 2
    said = capsys.readouterr()
    assert said.err == f"qiki: no stack 'nobody' runs in {tmp_path}: start it with `qiki up`\n"
    assert not said.out


def test_where_nats_does_not_answer_one_line_says_so_and_the_status_is_2(settings, capsys, monkeypatch):
    monkeypatch.setattr("qiki_harness.smoke.target.CONNECT_S", 1e6)  # one that refuses is not waited for
    settings(**BOTH | {"NATS_URL": "nats://127.0.0.1:1"}, NO_COLOR="1")
    assert main(["--only", "grpc"]) == 2
    assert re.fullmatch(r"qiki: no stack found: .* NATS_URL=nats://127\.0\.0\.1:1.*\n", capsys.readouterr().err)


def test_the_list_needs_no_stack(capsys):
    assert main(["--list"]) == 0
    assert capsys.readouterr().out.startswith("streams ")


def test_an_unknown_check_is_refused_with_the_known_ones(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--only", "radio"])
    assert ended.value.code == 2
    assert "choose from" in capsys.readouterr().err
