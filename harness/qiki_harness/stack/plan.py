"""From options to what will run: the compose file with its variables filled and its ports taken."""

import os
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace

from qiki_harness.compose import ComposeFile, ComposeService, Project, StackPort
from qiki_harness.errors import StackError
from qiki_harness.stack.model import EXEC, FORK, PORTS, START, StackOptions, is_port
from qiki_harness.stack.ports import PortLocks, assign
from qiki_harness.stack.runfolder import RunFolder


@dataclass(frozen=True, slots=True)
class Plan:
    """The project, the numbers of its ports, and the command lines of the services that the user runs."""

    project: Project
    ports: Mapping[str, int]
    by_hand: Mapping[str, str]


def make_plan(options: StackOptions, folder: RunFolder, locks: PortLocks) -> Plan:
    """Read the compose file and take the ports; refuse an option that names no port or service of it."""
    if (start := os.environ.get(START, "")) not in {"", FORK, EXEC}:
        raise StackError(f"{START}={start!r}: expected {FORK} or {EXEC}")
    compose = ComposeFile(options.compose_file)
    values = {**compose.dotenv(), **os.environ, **options.variables}
    wanted = {**({} if options.auto_ports else _ports_in(values, compose.ports)), **options.ports}
    _check_names("port", wanted, [port.variable for port in compose.ports])
    ports = assign(compose.ports, locks, wanted=wanted, auto=options.auto_ports)
    listening = {name: values[name] for name in compose.listening if values.get(name)}
    project = compose.project({**values, **compose.native_variables(folder.data, ports), **listening})
    _check_names("service", (*options.without, *options.environments), list(project.services))
    project = _with_environments(project, options.environments)
    return Plan(project, ports, {name: _command_line(project.services[name]) for name in options.without})


def own_environment(service: ComposeService) -> dict[str, str]:
    """Return a service's variables without those that it inherits from us."""
    return {key: value for key, value in service.environment.items() if os.environ.get(key) != value and key != "PATH"}


def _with_environments(project: Project, environments: Mapping[str, Mapping[str, str]]) -> Project:
    services = {
        name: replace(service, environment={**service.environment, **environments.get(name, {})})
        for name, service in project.services.items()
    }
    return replace(project, services=services)


def _command_line(service: ComposeService) -> str:
    """Return the shell line that runs a service as the stack would: its folder, its variables, its command."""
    program, *arguments = service.command
    command = [sys.executable if program == "python" else program, *arguments]  # also where no venv is activated
    settings = [f"{key}={shlex.quote(value)}" for key, value in sorted(own_environment(service).items())]
    return f"cd {shlex.quote(str(service.working_dir))} && {' '.join([*settings, shlex.join(command)])}"


def _ports_in(values: Mapping[str, str], ports: list[StackPort]) -> dict[str, int]:
    found = {port.variable: values[port.variable] for port in ports if values.get(port.variable)}
    for variable, text in found.items():
        if not is_port(text):
            raise StackError(f"{variable}={text!r} in the environment is no port from {PORTS[0]} to {PORTS[-1]}")
    return {variable: int(text) for variable, text in found.items()}


def _check_names(what: str, names: Mapping[str, int] | tuple[str, ...], known: list[str]) -> None:
    for name in names:
        if name not in known:
            raise StackError(f"no {what} {name!r} here: there are {', '.join(known)}")
