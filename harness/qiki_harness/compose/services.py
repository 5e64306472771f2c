"""From a service's entry in the compose file to a `ComposeService`."""

from collections.abc import Iterator, Mapping
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
