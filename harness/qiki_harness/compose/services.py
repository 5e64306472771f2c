"""From a service's entry in the compose file to a `ComposeService`.

A key that is neither honoured nor one that concerns containers only is an error, so that nothing that the file asks for
is silently left out. Compose ignores keys that begin with `x-`. The keys in `x-native` stand for those of the service.
"""

import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from signal import Signals

from qiki_harness.compose.model import (
    ComposeService,
    Dependency,
    Healthcheck,
    RestartKind,
    RestartPolicy,
    StackPort,
    StartCondition,
)
from qiki_harness.compose.nodes import YamlNode, read_env_file

HONOURED = {
    "file": {"services", "volumes"},
    "service": {
        "command", "depends_on", "entrypoint", "env_file", "environment", "expose", "healthcheck", "ports", "restart",
        "stop_grace_period", "stop_signal", "volumes", "working_dir",
    },
    "healthcheck": {"disable", "interval", "retries", "start_interval", "start_period", "test", "timeout"},
    "dependency": {"condition"},
}  # fmt: skip

CONTAINER_ONLY = {
    "file": {"name", "networks", "secrets", "version"},
    "service": {
        "build", "cap_add", "cap_drop", "cgroup_parent", "container_name", "cpu_shares", "cpus", "cpuset", "dns",
        "group_add", "hostname", "image", "init", "ipc", "labels", "logging", "mem_limit", "mem_reservation",
        "memswap_limit", "network_mode", "networks", "oom_score_adj", "pids_limit", "platform", "pull_policy",
        "read_only", "security_opt", "shm_size", "stdin_open", "sysctls", "tmpfs", "tty", "ulimits", "user",
    },
    "healthcheck": set[str](),
    "dependency": set[str](),
}  # fmt: skip
NATIVE = "x-native"
_UNITS_S = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_LONGEST_S = 86_400.0 * 365
_MOST_DIGITS = 9
_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)(us|ms|s|m|h)")


def honoured(node: YamlNode, level: str) -> dict[str, YamlNode]:
    """Return the honoured entries of a mapping; a key that is in neither table raises a ComposeError."""
    entries = node.entries()
    for key, value in entries.items():
        if key not in HONOURED[level] | CONTAINER_ONLY[level] and not key.startswith("x-"):
            value.fail("the native runner does not know this key (compose/services.py has those that it knows)")
    return {key: value for key, value in entries.items() if key in HONOURED[level]}


def _duration_s(node: YamlNode) -> float:
    """Return a duration such as `1m30s` or `100ms` [s]."""
    text = node.text()
    parts = _DURATION_PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        node.fail(f"{text!r} is no duration: expected such as 500ms, 5s, 1m30s")
    seconds = sum(float(number) * _UNITS_S[unit] for number, unit in parts)
    if seconds > _LONGEST_S:
        node.fail(f"{text!r} is longer than a year")
    return seconds


def _count(node: YamlNode) -> int:
    text = node.text()
    if not _is_count(text):
        node.fail(f"{text!r} is no whole number of at most {_MOST_DIGITS} digits")
    return int(text)


def _is_count(text: str) -> bool:
    return text.isdecimal() and len(text) <= _MOST_DIGITS


def _flag(node: YamlNode) -> bool:
    text = node.text().lower()
    if text not in {"true", "false"}:
        node.fail(f"{text!r} is neither true nor false")
    return text == "true"


def _stop_signal(node: YamlNode) -> Signals:
    text = node.text().upper()
    try:
        return Signals(int(text)) if text.isdecimal() else Signals["SIG" + text.removeprefix("SIG")]
    except (KeyError, ValueError):
        node.fail(f"{text!r} is no signal: expected such as SIGTERM")


def _words(node: YamlNode) -> tuple[str, ...]:
    """Return a command: a list of words, or one text that is split as a shell would."""
    if node.is_list:
        return tuple(item.text() for item in node.items())
    try:
        return tuple(shlex.split(node.text()))
    except ValueError as error:
        node.fail(f"cannot be split into words: {error}")


def _restart_policy(node: YamlNode) -> RestartPolicy:
    kind, _, limit = node.text().partition(":")
    known = kind in list(RestartKind) and (not limit or (kind == RestartKind.ON_FAILURE and _is_count(limit)))
    if not known:
        node.fail(f"{node.text()!r} is no restart policy: expected no, always, unless-stopped or on-failure[:N]")
    return RestartPolicy(RestartKind(kind), int(limit) if limit else None)


def read_service(
    name: str, node: YamlNode, *, root: Path, base: Mapping[str, str], ports: tuple[StackPort, ...]
) -> ComposeService:
    """Read one service; `base` is the environment beneath its own."""
    entries = honoured(node, "service") | honoured(node.get(NATIVE), "service")
    command = [word for key in ("entrypoint", "command") if key in entries for word in _words(entries[key])]
    if not command:
        node.fail("has no command: the native runner has no image that would bring one")
    get = entries.get
    return ComposeService(
        name=name,
        command=tuple(command),
        working_dir=_working_dir(folder, root) if (folder := get("working_dir")) else root,
        environment={**base, **_environment(entries, root)},
        dependencies=_dependencies(needs) if (needs := get("depends_on")) else (),
        healthcheck=_healthcheck(check) if (check := get("healthcheck")) else None,
        restart=_restart_policy(policy) if (policy := get("restart")) else RestartPolicy(),
        stop_signal=_stop_signal(signal) if (signal := get("stop_signal")) else Signals.SIGTERM,
        stop_grace_s=_duration_s(grace) if (grace := get("stop_grace_period")) else 10.0,
        ports=ports,
    )


def _working_dir(node: YamlNode, root: Path) -> Path:
    folder = root / node.text()
    if not folder.is_dir():
        node.fail(f"{folder} is no folder here: give it as ${{VARIABLE:-{node.text()}}}, which natively is the project")
    return folder


def _environment(entries: Mapping[str, YamlNode], root: Path) -> dict[str, str]:
    """Return what `env_file` and `environment` set; the latter wins. A key alone passes on the runner's variable."""
    found: dict[str, str] = {}
    for file in entries["env_file"].items() if "env_file" in entries else ():
        found |= read_env_file(root / file.text())
    if not (node := entries.get("environment")):
        return found
    for key, value in _pairs(node):
        if value is not None:
            found[key] = value
        elif key in node.variables:
            found[key] = node.variables[key]
    return found


def _pairs(node: YamlNode) -> Iterator[tuple[str, str | None]]:
    if node.is_list:
        for key, equals, value in (item.text().partition("=") for item in node.items()):
            yield key, value if equals else None
    else:
        yield from ((key, None if item.value is None else item.text()) for key, item in node.entries().items())


def _dependencies(node: YamlNode) -> tuple[Dependency, ...]:
    if node.is_list:
        return tuple(Dependency(item.text(), StartCondition.STARTED) for item in node.items())
    return tuple(Dependency(name, _condition(entry)) for name, entry in node.entries().items())


def _condition(node: YamlNode) -> StartCondition:
    entries = honoured(node, "dependency")
    if not (condition := entries.get("condition")):
        return StartCondition.STARTED
    if condition.text() not in list(StartCondition):
        condition.fail(f"{condition.text()!r} is no condition: expected {', '.join(StartCondition)}")
    return StartCondition(condition.text())


def _healthcheck(node: YamlNode) -> Healthcheck | None:
    entries = honoured(node, "healthcheck")
    if "disable" in entries and _flag(entries["disable"]):
        return None
    if "test" not in entries:
        node.fail("has no test")
    test = _test(entries["test"])
    durations = {
        f"{key}_s": _duration_s(entries[key])
        for key in ("interval", "timeout", "start_period", "start_interval")
        if key in entries
    }
    retries = _count(entries["retries"]) if "retries" in entries else 3
    return Healthcheck(test, retries=retries, **durations) if test else None


def _test(node: YamlNode) -> tuple[str, ...]:
    """Return the probe's command; empty for NONE."""
    shell = ("/bin/sh", "-c")
    if not node.is_list:
        return (*shell, node.text())
    match [item.text() for item in node.items()]:
        case ["NONE"]:
            return ()
        case ["CMD", *words] if words:
            return tuple(words)
        case ["CMD-SHELL", line]:
            return (*shell, line)
    return node.fail("expected [CMD, word, …], [CMD-SHELL, line] or [NONE]")
