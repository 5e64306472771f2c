"""The compose file as the native runner reads it: the one description of the stack."""

import os
import sys
from collections.abc import Mapping
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from qiki_harness.compose import variables
from qiki_harness.compose.model import (
    ComposeService,
    Dependency,
    Healthcheck,
    Project,
    RestartKind,
    RestartPolicy,
    StackPort,
    StartCondition,
)
from qiki_harness.compose.nodes import YamlNode, read
from qiki_harness.compose.services import honoured, read_service

__all__ = [
    "ComposeFile", "ComposeService", "Dependency", "Healthcheck", "Project", "RestartKind", "RestartPolicy",
    "StackPort", "StartCondition",
]  # fmt: skip

ADDRESSES = "x-addresses"

# A container sees nothing of the user's shell, so that a stray variable there changes nothing. A process needs these.
_INHERITED = {
    "DYLD_LIBRARY_PATH", "HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "LOCALE_ARCHIVE", "LOGNAME",
    "PYTHONPYCACHEPREFIX", "QIKI_CHECKOUT", "SHELL", "SSL_CERT_FILE", "TMPDIR", "TZ", "USER", "VIRTUAL_ENV",
    "XDG_RUNTIME_DIR",
}  # fmt: skip


class ComposeFile:
    """A compose file whose variables are not filled yet."""

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
        """The ports of the stack, with the variables that set them."""
        return variables.ports(self._services)

    @cached_property
    def settings(self) -> set[str]:
        """The names of the variables that are neither hosts, paths nor ports."""
        places = self.native_variables(self.root, {port.variable: 0 for port in self.ports})
        return variables.settings(self._services) - set(places)

    def dotenv(self) -> dict[str, str]:
        """Return the variables of the `.env` file beside it, which compose reads too."""
        file = self.root / ".env"
        return variables.read_env_file(file) if file.exists() else {}

    def native_variables(self, data: Path, ports: Mapping[str, int]) -> dict[str, str]:
        """Return the native values of the variables for hosts, paths (volumes under `data`) and ports."""
        return {
            **variables.hosts(self._tree, self._services),
            **variables.paths(self._services, self.root, data),
            **{name: str(port) for name, port in ports.items()},
        }

    def project(self, values: Mapping[str, str], environ: Mapping[str, str] | None = None) -> Project:
        """Return the stack with its variables filled."""
        base = _base_environment(os.environ if environ is None else environ)
        nodes = {name: node.filled(values) for name, node in self._services.items()}
        ports = {name: tuple(port for port in self.ports if port.service == name) for name in nodes}
        services = {
            name: read_service(name, node, root=self.root, base=base, ports=ports[name]) for name, node in nodes.items()
        }
        addresses = self._tree.get(ADDRESSES).filled(values).entries()
        return Project(self.file, _in_order(services, nodes), {key: one.text() for key, one in addresses.items()})


def _in_order(services: Mapping[str, ComposeService], nodes: Mapping[str, YamlNode]) -> dict[str, ComposeService]:
    """Sort the services so that each follows those that it depends on."""
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


def _base_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return what every service inherits; the programs beside our own Python come first on its PATH."""
    kept = {name: environ[name] for name in sorted(_INHERITED) if name in environ}
    path = os.pathsep.join([str(Path(sys.executable).parent), environ.get("PATH", os.defpath)])
    return {**kept, "PATH": path}
