"""The imports of the services, made once and in the order in which the services start."""

import ast
import importlib
import importlib.util
import os
import shutil
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qiki_harness.environment import base_environment, differences, numerical
from qiki_harness.forks.imports import Imports, Stamp, changed, stamp
from qiki_harness.forks.registries import Registries

_PYTHON = str(Path(sys.executable).with_name("python"))
_LEAN = "qiki.runtime.lean"
_FIRST = (_LEAN, "prometheus_client")
# What every service comes to need. No numpy: the stack says how many threads it may have.
_COMMON = (
    "asyncio", "pydantic_settings", "nats", "qiki.runtime.nats", "qiki.runtime.service", "uvloop",
    "qiki_harness.forks.child",
)  # fmt: skip
_LAST = ("anyio._backends._asyncio",)  # FastStream's, when an application starts: of use to later starts only


class RefusedError(Exception):
    """A service that cannot be forked; the message says why."""


@dataclass(frozen=True)
class Imported:
    """A service whose imports are made: its modules and their files."""

    modules: frozenset[str]
    files: Mapping[str, Stamp]


class Preload:
    """Imports, and what they were made under.

    Attributes:
        imports: the record of them
        environment: variables while they were made
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.imports = Imports()
        self._registries = Registries(self.imports.importing)
        self.environment = base_environment(environ)
        self._steps: deque[tuple[str, bool]] = deque((name, False) for name in (*_FIRST, *_COMMON))
        self._last = deque(_LAST)
        self._services: dict[str, Imported | RefusedError] = {}
        self._common: list[str] = []

    def begin(self) -> None:
        """Take the services' environment, and begin the record."""
        os.environ.clear()
        os.environ.update(self.environment)
        self.imports.record()
        self._registries.record()

    def end(self, modules: Set[str]) -> None:
        """In a service's process: end the record, and keep what its modules have registered."""
        self.imports.stop()
        self._registries.keep(modules)

    def add(self, services: Iterable[str], environment: Mapping[str, str]) -> None:
        """Let these services be imported too, with the numerical variables of an environment that they share."""
        if "numpy" not in sys.modules:
            os.environ.update(numerical(environment))
            self.environment |= numerical(environment)
        known = {*self._services, *(name for name, is_service in self._steps if is_service)}
        self._steps.extend((name, True) for name in services if name not in known)

    @property
    def pending(self) -> bool:
        """True while there are imports to be made."""
        return bool(self._steps or self._last)

    def step(self) -> None:
        """Make the next service's imports, or those of one common module."""
        name, is_service = self._steps.popleft() if self._steps else (self._last.popleft(), False)
        if is_service:
            self._services[name] = self._service(name)
            return
        try:
            importlib.import_module(name)
        except ImportError:  # uvloop is not everywhere; a service says what it lacks
            return
        self._common.append(name)
        if name == _FIRST[-1]:
            self._registries.record_metrics()

    def knows(self, service: str) -> bool:
        """Return whether a service's imports are made, or were given up."""
        return service in self._services

    def check(self, service: str, environment: Mapping[str, str], folder: str) -> Imported:
        """Return the imports of a service.

        Raises:
            RefusedError: they are not what a new process would have.
        """
        found = self._services[service]
        if isinstance(found, RefusedError):
            raise found
        if names := differences(self.environment, environment):
            raise RefusedError(f"its environment differs in {', '.join(names)}")
        if (python := shutil.which("python", path=environment.get("PATH"))) != _PYTHON:
            raise RefusedError(f"its Python is {python}")
        if file := changed(found.files):
            raise RefusedError(f"{file} has changed")
        if name := _shadowed(found.modules, folder):
            raise RefusedError(f"{folder} has another {name}")
        return found

    def _service(self, name: str) -> Imported | RefusedError:
        try:
            main = _main_file(name)
            before = stamp(str(main))
            _import_what_it_names(main, name)
            _build_models()
        except RefusedError as refusal:
            return refusal
        except (Exception, SystemExit) as error:  # its own process shows it
            return RefusedError(f"its imports fail: {error!r}")
        modules = self.imports.closure([name, f"{name}.__main__", *self._common])
        files = self.imports.files(modules)
        return Imported(modules, {**files, str(main): before} if before else files)


def _main_file(service: str) -> Path:
    spec = importlib.util.find_spec(service) if service.isidentifier() else None
    for folder in (spec and spec.submodule_search_locations) or ():
        if (file := Path(folder) / "__main__.py").is_file():
            return file
    raise RefusedError("it is no package with a __main__.py")


def _import_what_it_names(main: Path, service: str) -> None:
    """Execute the import statements of a `__main__.py`, as if from there."""
    tree = ast.parse(main.read_bytes(), str(main))
    imports = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    if not imports or not isinstance(first := imports[0], ast.Import) or first.names[0].name != _LEAN:
        raise RefusedError(f"it does not import {_LEAN} first")
    importlib.import_module(service)
    namespace: dict[str, Any] = {"__name__": f"{service}.__main__", "__package__": service, "__file__": str(main)}
    statements: list[ast.stmt] = [*imports]
    exec(compile(ast.Module(statements, []), str(main), "exec"), namespace)  # noqa: S102


def _build_models() -> None:
    """Build the pydantic models that wait for their first use: once here, instead of in each service."""
    from pydantic import BaseModel  # noqa: PLC0415  # recorded as the services' import

    waiting = [BaseModel]
    while waiting:
        for model in waiting.pop().__subclasses__():
            waiting.append(model)
            if not model.__pydantic_complete__:
                model.model_rebuild(raise_errors=False)


def _shadowed(modules: Iterable[str], folder: str) -> str | None:
    """Return a package that a new process would take from its working folder, and was taken from elsewhere."""
    tops = {name.partition(".")[0] for name in modules}
    for name, place in _importable(Path(folder)):
        if name not in tops or not (module := sys.modules.get(name)):
            continue
        file = module.__file__
        if not (file and Path(file).resolve().is_relative_to(place)):
            return name
    return None


def _importable(folder: Path) -> Iterator[tuple[str, Path]]:
    for entry in folder.iterdir():
        if entry.suffix in {".py", ".so"} or (entry / "__init__.py").exists():
            yield entry.name.partition(".")[0], entry.resolve()
