"""Services of a compose file: their values, and the keys that are honoured, for containers only, or unknown."""

from collections.abc import Callable
from pathlib import Path
from signal import Signals

import pytest

from qiki_harness.compose import (
    ComposeFile,
    Dependency,
    Healthcheck,
    Project,
    RestartKind,
    RestartPolicy,
    StartCondition,
)
from qiki_harness.compose.services import CONTAINER_ONLY, HONOURED
from qiki_harness.errors import ComposeError

Fill = Callable[..., Project]
Write = Callable[[str], ComposeFile]
BASE = "services:\n  a:\n    command: x\n"


def one(project: Fill, body: str, **values: str):
    """The service `a` with this body, beside a service `b`."""
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    return project(f"services:\n  a:\n{lines}\n  b:\n    command: x\n", **values).services["a"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("command: [run, 'a b']", ("run", "a b")),
        ("command: run 'a b' c", ("run", "a b", "c")),
        ("entrypoint: [sh, -c]\ncommand: [exit 1]", ("sh", "-c", "exit 1")),
        ("entrypoint: sh -c 'exit 1'", ("sh", "-c", "exit 1")),
        ("command: [run, '${PORT:-1}']", ("run", "7")),
    ],
)
def test_command(project: Fill, body: str, expected: tuple[str, ...]):
    assert one(project, body, PORT="7").command == expected


def test_what_is_native_stands_for_the_keys_of_the_service(project: Fill):
    body = "entrypoint: [/a]\ncommand: [b, c]\nhealthcheck: {test: [CMD, /d]}"
    native = "x-native: {entrypoint: [python, '${V}'], healthcheck: {test: [CMD, python, e]}}"
    service = one(project, f"{body}\n{native}", V="v")
    assert service.command == ("python", "v", "b", "c")
    assert service.healthcheck is not None
    assert service.healthcheck.test == ("python", "e")


def test_a_native_key_that_is_not_known_is_an_error(project: Fill):
    with pytest.raises(ComposeError, match=r"services\.a\.x-native\.entripoint: the native runner does not know"):
        one(project, "command: x\nx-native: {entripoint: [a]}")


@pytest.mark.parametrize(
    "environment",
    ["{A: 1, B: '${V}', C: , D: , E: }", "[A=1, 'B=${V}', C, D, 'E']"],
)
def test_environment_as_mapping_and_list(project: Fill, environment: str):
    service = one(project, f"command: x\nenvironment: {environment}", V="v", C="passed on", D="")
    assert {key: service.environment[key] for key in "ABCD"} == {"A": "1", "B": "v", "C": "passed on", "D": ""}
    assert "E" not in service.environment


def test_env_file_lies_under_environment(project: Fill, tmp_path: Path):
    (tmp_path / "a.env").write_text("A=file\nB=file\n")
    service = one(project, "command: x\nenv_file: a.env\nenvironment: {B: own}")
    assert (service.environment["A"], service.environment["B"]) == ("file", "own")


def test_the_users_shell_does_not_leak_in(compose: Write):
    file = compose("services: {a: {command: x}}")
    shell = {"HOME": "/h", "QIKI_CHECKOUT": "/c", "RADAR_MAX_BYTES": "1", "PATH": "/bin"}
    environment = file.project({}, environ=shell).services["a"].environment
    assert environment["HOME"] == "/h"
    assert environment["QIKI_CHECKOUT"] == "/c"  # what the dev shell's Python runs
    assert environment["PATH"].endswith(":/bin")
    assert "RADAR_MAX_BYTES" not in environment


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("[b]", Dependency("b", StartCondition.STARTED)),
        ("{b: }", Dependency("b", StartCondition.STARTED)),
        ("{b: {condition: service_started}}", Dependency("b", StartCondition.STARTED)),
        ("{b: {condition: service_healthy}}", Dependency("b", StartCondition.HEALTHY)),
        ("{b: {condition: service_completed_successfully}}", Dependency("b", StartCondition.COMPLETED)),
    ],
)
def test_dependencies(project: Fill, body: str, expected: Dependency):
    assert one(project, f"command: x\ndepends_on: {body}").dependencies == (expected,)


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        ("[CMD, probe, -x]", ("probe", "-x")),
        ("[CMD-SHELL, 'probe || exit 1']", ("/bin/sh", "-c", "probe || exit 1")),
        ("probe || exit 1", ("/bin/sh", "-c", "probe || exit 1")),
    ],
)
def test_health_check_test(project: Fill, test: str, expected: tuple[str, ...]):
    check = one(project, f"command: x\nhealthcheck: {{test: {test}}}").healthcheck
    # The engine's defaults: 30 s, 30 s, 3, 0 s, 5 s (Dockerfile reference, HEALTHCHECK).
    assert check == Healthcheck(expected, 30.0, 30.0, 3, 0.0, 5.0)


@pytest.mark.parametrize("check", ["{test: [NONE]}", "{disable: true}", "{disable: true, test: x}"])
def test_no_health_check(project: Fill, check: str):
    assert one(project, f"command: x\nhealthcheck: {check}").healthcheck is None


def test_health_check_numbers(project: Fill):
    text = "{test: x, interval: 1m30s, timeout: 500ms, retries: 5, start_period: 2.5s, start_interval: 20ms}"
    check = one(project, f"command: x\nhealthcheck: {text}").healthcheck
    assert check is not None
    assert (check.interval_s, check.timeout_s, check.retries) == (90.0, 0.5, 5)
    assert (check.start_period_s, check.start_interval_s) == (2.5, 0.02)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("'no'", RestartPolicy(RestartKind.NO)),
        ("always", RestartPolicy(RestartKind.ALWAYS)),
        ("unless-stopped", RestartPolicy(RestartKind.UNLESS_STOPPED)),
        ("on-failure", RestartPolicy(RestartKind.ON_FAILURE)),
        ("on-failure:3", RestartPolicy(RestartKind.ON_FAILURE, 3)),
    ],
)
def test_restart(project: Fill, text: str, expected: RestartPolicy):
    assert one(project, f"command: x\nrestart: {text}").restart == expected


@pytest.mark.parametrize("text", ["SIGINT", "INT", "int", "2"])
def test_stop_signal(project: Fill, text: str):
    assert one(project, f"command: x\nstop_signal: {text}").stop_signal is Signals.SIGINT


def test_stop_defaults_are_the_engines(project: Fill):
    service = one(project, "command: x")
    assert (service.stop_signal, service.stop_grace_s) == (Signals.SIGTERM, 10.0)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("image: x", "services.a: has no command"),
        ('command: "a \'b"', "services.a.command: cannot be split into words"),
        ("command: x\nrestart: sometimes", "services.a.restart: 'sometimes' is no restart policy"),
        ("command: x\nrestart: always:3", "services.a.restart: 'always:3' is no restart policy"),
        ("command: x\nstop_signal: SIGNONE", "services.a.stop_signal: 'SIGNONE' is no signal"),
        ("command: x\nstop_grace_period: 5", "services.a.stop_grace_period: '5' is no duration"),
        ("command: x\nstop_grace_period: 5s3", "'5s3' is no duration"),
        ("command: x\nhealthcheck: {interval: 1s}", "services.a.healthcheck: has no test"),
        ("command: x\nhealthcheck: {test: [probe]}", "services.a.healthcheck.test: expected"),
        ("command: x\nhealthcheck: {test: x, retries: -1}", "services.a.healthcheck.retries: '-1' is no whole number"),
        ("command: x\nhealthcheck: {disable: 1}", "services.a.healthcheck.disable: '1' is neither true nor false"),
        ("command: x\ndepends_on: {b: {condition: ready}}", "'ready' is no condition: expected service_started"),
        ("command: x\ndepends_on: [c]", "services.a: depends on c, which is no service of this file"),
        ("command: x\nworking_dir: /nowhere", "services.a.working_dir: /nowhere is no folder here"),
        ("command: x\nenv_file: none.env", "none.env: cannot be read"),
    ],
)
def test_what_cannot_be_is_named(project: Fill, body: str, words: str):
    with pytest.raises(Exception, match=r".") as caught:
        one(project, body)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_services_come_after_what_they_depend_on(project: Fill):
    text = "services: {c: {command: x, depends_on: [b]}, a: {command: x}, b: {command: x, depends_on: [a]}}"
    found = project(text)
    assert list(found.services) == ["a", "b", "c"]
    assert found.dependants("a") == ("b",)


def test_a_circle_is_refused(project: Fill):
    text = "services: {a: {command: x, depends_on: [b]}, b: {command: x, depends_on: [a]}}"
    with pytest.raises(ComposeError, match=r"depends on itself: (a → b → a|b → a → b)"):
        project(text)


def test_a_file_without_services_is_refused(compose: Write):
    with pytest.raises(ComposeError, match="has no services"):
        compose("volumes: {a: }")


def test_no_key_is_both_honoured_and_passed_over():
    for level, keys in HONOURED.items():
        assert not keys & CONTAINER_ONLY[level]


@pytest.mark.parametrize("key", sorted(CONTAINER_ONLY["service"]))
def test_container_only_keys_change_nothing(project: Fill, key: str):
    assert project(BASE + f"    {key}: [1]\n") == project(BASE)


@pytest.mark.parametrize(
    ("text", "line", "where"),
    [
        (BASE + "    secrets: [s]\n", 4, "services.a.secrets"),
        (BASE + "    depend_on: [b]\n", 4, "services.a.depend_on"),
        (BASE + "    healthcheck:\n      test: x\n      intervall: 1s\n", 6, "services.a.healthcheck.intervall"),
        (BASE + "    depends_on:\n      a: {required: false}\n", 5, "services.a.depends_on.a.required"),
        (BASE + "configs: {}\n", 4, "configs"),
    ],
)
def test_any_other_key_is_named_with_its_place(project: Fill, text: str, line: int, where: str):
    with pytest.raises(ComposeError) as caught:
        project(text)
    assert (caught.value.line, caught.value.where) == (line, where)
    assert "does not know this key" in str(caught.value)


def test_extensions_are_passed_over_everywhere(project: Fill):
    text = BASE + "    x-note: 1\n    healthcheck: {test: x, x-why: y}\nx-more: {}\n"
    assert project(text).services["a"].healthcheck is not None
