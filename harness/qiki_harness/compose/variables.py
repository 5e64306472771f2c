"""Which variables of a compose file the native runner fills, by what they stand for, and files of variables.

The file's defaults are right for containers. Natively a host is loopback, a path is in the run folder or the project,
and a port is one that is free. The place of a variable in the file says what it is: there is no list of names here.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from dotenv.parser import parse_stream

from qiki_harness.compose.interpolation import Variable
from qiki_harness.compose.model import StackPort
from qiki_harness.compose.nodes import YamlNode
from qiki_harness.errors import ComposeError, HarnessError

LOOPBACK = "127.0.0.1"
_ANY_HOST = "0.0.0.0"  # noqa: S104  # compared with, never bound


def hosts(root: YamlNode, services: Mapping[str, YamlNode]) -> dict[str, str]:
    """Return loopback for each variable whose default names a service or all interfaces."""
    names = {*services, _ANY_HOST}
    return {one.name: LOOPBACK for leaf in root.walk() for one in leaf.template().variables() if _default(one) in names}


def settings(services: Mapping[str, YamlNode]) -> set[str]:
    """Return the variables in the services' environments, also those without a value here."""
    found: set[str] = set()
    for service in services.values():
        for name, node in service.get("environment").entries().items():
            found |= {name} if node.value is None else {variable.name for variable in node.template().variables()}
    return found


def paths(services: Mapping[str, YamlNode], root: Path, data: Path) -> dict[str, str]:
    """Return the folders for the variables of `working_dir` (the project's) and of the volumes' targets."""
    found: dict[str, str] = {}
    for service in services.values():
        for folder in service.get("working_dir").items():
            found |= {variable.name: str(root) for variable in folder.template().variables()}
        for volume in service.get("volumes").items():
            found |= _volume(volume, root, data)
    return found


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


def ports(services: Mapping[str, YamlNode]) -> list[StackPort]:
    """Return the variables in `ports` (published on the host) and `expose` (for the stack itself)."""
    found: dict[str, StackPort] = {}
    for name, service in services.items():
        for key, published in (("ports", True), ("expose", False)):
            for node in service.get(key).items():
                for port in _ports(node, name, published=published):
                    found.setdefault(port.variable, port)
    return list(found.values())


def _ports(node: YamlNode, service: str, *, published: bool) -> Iterator[StackPort]:
    variables = list(node.template().variables())
    if not variables:
        node.fail("expected a variable such as ${PORT:-4222}: stacks side by side need ports of their own")
    for variable in variables:
        default = _default(variable)
        if not default.isdecimal():
            node.fail(f"variable {variable.name} needs a port as its default, as in ${{{variable.name}:-4222}}")
        yield StackPort(variable.name, service, int(default), published)


def _default(variable: Variable) -> str:
    return variable.word.render({}) if variable.operator in {":-", "-"} else ""


def read_env_file(file: Path) -> dict[str, str]:
    """Read the variables of a file of `KEY=value` lines: compose's `.env` or an `env_file`."""
    try:
        with file.open(encoding="utf-8") as stream:
            bindings = [one for one in parse_stream(stream) if one.key or one.error]
    except OSError as error:
        raise HarnessError(f"{file}: cannot be read: {error.strerror}") from error
    found: dict[str, str] = {}
    for one in bindings:
        if one.key is None or one.value is None:
            raise ComposeError(file, one.original.line, one.key or one.original.string.strip(), "expected KEY=value")
        found[one.key] = one.value
    return found
