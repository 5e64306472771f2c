"""The compose file as the native runner reads it: the one description of the stack."""

import os
from collections.abc import Iterator, Mapping
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from qiki_harness.compose.interpolation import Variable
from qiki_harness.compose.model import (
    LOOPBACK,
    ComposeService,
    Dependency,
    Healthcheck,
    Project,
    RestartKind,
    RestartPolicy,
    StackPort,
    StartCondition,
)
from qiki_harness.compose.nodes import YamlNode, read, read_env_file
from qiki_harness.compose.services import honoured, read_service
from qiki_harness.environment import base_environment

__all__ = [
    "ComposeFile", "ComposeService", "Dependency", "Healthcheck", "Project", "RestartKind", "RestartPolicy",
    "StackPort", "StartCondition",
]  # fmt: skip

_ADDRESSES = "x-addresses"
_PORT_DIGITS = 5
_ANY_HOST = "0.0.0.0"  # noqa: S104  # compared with, never bound


class ComposeFile:
    """A compose file whose variables are not filled yet.

    The file's defaults are right for containers. Natively a host is loopback, a path is in the run folder or the
    project, and a port is one that is free. The place of a variable in the file says which of these it is.
    """

    def __init__(self, file: Path) -> None:
        self.file = file.resolve()
        self.root = self.file.parent
        self._tree = read(self.file)
        entries = self._tree.entries()
        honoured(self._tree, "file")
        if "services" not in entries:
            self._tree.fail("has no services")
        self._services = entries["services"].entries()

    @cached_property
    def ports(self) -> list[StackPort]:
        """The variables in `ports` (published on the host) and `expose` (for the stack itself)."""
        found: dict[str, StackPort] = {}
        for name, service in self._services.items():
            for key, published in (("ports", True), ("expose", False)):
                for node in service.get(key).items():
                    for port in _ports(node, name, published=published):
                        found.setdefault(port.variable, port)
        return list(found.values())

    @cached_property
    def settings(self) -> set[str]:
        """The variables in the services' environments that are neither other services, paths nor ports."""
        found: set[str] = set()
        for service in self._services.values():
            for name, node in service.get("environment").entries().items():
                found |= {name} if node.value is None else {one.name for one in node.template().variables()}
        native = self.native_variables(self.root, {port.variable: 0 for port in self.ports}).keys()
        return (found - native) | self.listening

    @cached_property
    def listening(self) -> set[str]:
        """The variables for the address that services listen on: loopback, where nobody says otherwise."""
        named = (one for leaf in self._tree.walk() for one in leaf.template().variables())
        return {one.name for one in named if _default(one) == _ANY_HOST}

    def dotenv(self) -> dict[str, str]:
        """Return the variables of the `.env` file beside it, which compose reads too."""
        file = self.root / ".env"
        return read_env_file(file) if file.exists() else {}

    def native_variables(self, data: Path, ports: Mapping[str, int]) -> dict[str, str]:
        """Return the native values of the variables for hosts, paths (volumes under `data`) and ports."""
        hosts = {*self._services, _ANY_HOST, LOOPBACK}
        named = (one for leaf in self._tree.walk() for one in leaf.template().variables())
        found = {one.name: LOOPBACK for one in named if _default(one) in hosts}
        for service in self._services.values():
            for folder in service.get("working_dir").items():
                found |= {one.name: str(self.root) for one in folder.template().variables()}
            for volume in service.get("volumes").items():
                found |= _volume(volume, self.root, data)
        return found | {name: str(port) for name, port in ports.items()}

    def project(self, values: Mapping[str, str], environ: Mapping[str, str] | None = None) -> Project:
        """Return the stack with its variables filled."""
        base = base_environment(os.environ if environ is None else environ)
        nodes = {name: node.filled(values) for name, node in self._services.items()}
        ports = {name: tuple(port for port in self.ports if port.service == name) for name in nodes}
        services = {
            name: read_service(name, node, root=self.root, base=base, ports=ports[name]) for name, node in nodes.items()
        }
        addresses = self._tree.get(_ADDRESSES).filled(values).entries()
        return Project(self.file, _in_order(services, nodes), {key: one.text() for key, one in addresses.items()})


def _volume(node: YamlNode, root: Path, data: Path) -> dict[str, str]:
    """Return the folder of one volume: a named one lies under the run folder's data, a bound folder where it is."""
    if isinstance(node.value, dict):
        node.fail("expected the short form NAME:TARGET")
    source = node.filled({}).text().partition(":")[0]
    target = [variable.name for variable in node.template().variables()]
    if len(target) != 1 or not source:
        node.fail("expected NAME:${VARIABLE:-/container/path}, for the native runner to say where it is")
    place = root / source if source.startswith((".", "/")) else data / source
    return {target[0]: str(place.resolve())}


def _ports(node: YamlNode, service: str, *, published: bool) -> Iterator[StackPort]:
    variables = [one for one in node.template().variables() if _default(one) != LOOPBACK]
    if not variables:
        node.fail("expected a variable such as ${PORT:-4222}: stacks side by side need ports of their own")
    for variable in variables:
        default = _default(variable)
        if not default.isdecimal() or len(default) > _PORT_DIGITS:
            node.fail(f"variable {variable.name} needs a port as its default, as in ${{{variable.name}:-4222}}")
        yield StackPort(variable.name, service, int(default), published)


def _default(variable: Variable) -> str:
    return variable.word.render({}) if variable.operator in {":-", "-"} else ""


def _in_order(services: Mapping[str, ComposeService], nodes: Mapping[str, YamlNode]) -> dict[str, ComposeService]:
    for service in services.values():
        for dependency in service.dependencies:
            if dependency.service not in services:
                nodes[service.name].fail(f"depends on {dependency.service}, which is no service of this file")
    sorter = TopologicalSorter({s.name: [d.service for d in s.dependencies] for s in services.values()})
    try:
        return {name: services[name] for name in sorter.static_order()}
    except CycleError as error:
        circle = " → ".join(error.args[1])
        nodes[error.args[1][0]].fail(f"depends on itself: {circle}")
