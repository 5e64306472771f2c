"""From a service's entry in the compose file to a `ComposeService`."""

from collections.abc import Mapping
from pathlib import Path
from signal import Signals

from qiki_harness.compose import keys, scalars
from qiki_harness.compose.dotenv import read_env_file
from qiki_harness.compose.model import ComposeService, Dependency, Healthcheck, RestartPolicy, StackPort, StartCondition
from qiki_harness.compose.nodes import YamlNode


def read_service(
    name: str, node: YamlNode, *, root: Path, base: Mapping[str, str], ports: tuple[StackPort, ...]
) -> ComposeService:
    """Read one service; `base` is the environment beneath its own."""
    entries = keys.check(node, "service")
    command = [word for key in ("entrypoint", "command") if key in entries for word in scalars.words(entries[key])]
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
        restart=scalars.restart_policy(policy) if (policy := get("restart")) else RestartPolicy(),
        stop_signal=scalars.stop_signal(signal) if (signal := get("stop_signal")) else Signals.SIGTERM,
        stop_grace_s=scalars.duration_s(grace) if (grace := get("stop_grace_period")) else 10.0,
        ports=ports,
    )


def _working_dir(node: YamlNode, root: Path) -> Path:
    folder = root / node.text()
    if not folder.is_dir():
        node.fail(f"{folder} is no folder here: give it as ${{VARIABLE:-{node.text()}}}, which natively is the project")
    return folder


def _environment(entries: Mapping[str, YamlNode], root: Path) -> dict[str, str]:
    """What `env_file` and `environment` say; the latter wins."""
    found: dict[str, str] = {}
    for file in entries["env_file"].items() if "env_file" in entries else ():
        found |= read_env_file(root / file.text())
    if not (node := entries.get("environment")):
        return found
    pairs = (
        [_pair(item) for item in node.items()]
        if node.is_list
        else [(key, value.text() if value.value is not None else None) for key, value in node.entries().items()]
    )
    passed_on = {key: node.variables[key] for key, value in pairs if value is None and key in node.variables}
    return {**found, **{key: value for key, value in pairs if value is not None}, **passed_on}


def _pair(item: YamlNode) -> tuple[str, str | None]:
    """`KEY=value`, or `KEY`, which passes on the runner's own variable."""
    key, equals, value = item.text().partition("=")
    return key, value if equals else None


def _dependencies(node: YamlNode) -> tuple[Dependency, ...]:
    if node.is_list:
        return tuple(Dependency(item.text(), StartCondition.STARTED) for item in node.items())
    return tuple(Dependency(name, _condition(entry)) for name, entry in node.entries().items())


def _condition(node: YamlNode) -> StartCondition:
    entries = keys.check(node, "dependency")
    if not (condition := entries.get("condition")):
        return StartCondition.STARTED
    if condition.text() not in list(StartCondition):
        condition.fail(f"{condition.text()!r} is no condition: expected {', '.join(StartCondition)}")
    return StartCondition(condition.text())


def _healthcheck(node: YamlNode) -> Healthcheck | None:
    entries = keys.check(node, "healthcheck")
    if "disable" in entries and scalars.flag(entries["disable"]):
        return None
    if "test" not in entries:
        node.fail("has no test")
    test = _test(entries["test"])
    durations = {
        f"{key}_s": scalars.duration_s(entries[key])
        for key in ("interval", "timeout", "start_period", "start_interval")
        if key in entries
    }
    retries = scalars.count(entries["retries"]) if "retries" in entries else 3
    return Healthcheck(test, retries=retries, **durations) if test else None


def _test(node: YamlNode) -> tuple[str, ...]:
    """The probe's command; empty for NONE."""
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
