"""A record of imports: which module needs which, and the files that they came from."""

import builtins
import importlib
import importlib.util
import os
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.machinery import ExtensionFileLoader, SourceFileLoader
from types import ModuleType
from typing import Any

from qiki_harness.forks.patches import Patches

Stamp = tuple[int, int]
_MACHINERY = "importlib._bootstrap"
_LOADERS: tuple[type[Any], ...] = (SourceFileLoader, ExtensionFileLoader)


@dataclass
class Imports:
    """The imports since `record`.

    Attributes:
        before: modules that were there already; every service counts as needing them
        needs: the modules that a module's import statements name
        stamps: modification time [ns] and size [byte] of each file, taken before it was read
    """

    before: frozenset[str] = field(default_factory=lambda: frozenset(sys.modules))
    needs: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    stamps: dict[str, Stamp] = field(default_factory=dict)
    _running: list[str] = field(default_factory=list)
    _patches: Patches = field(default_factory=Patches)

    def record(self) -> None:
        """Begin to record."""
        self._patches.replace(builtins, "__import__", self._recorded_import(builtins.__import__))
        self._patches.replace(importlib, "import_module", self._recorded_import_module(importlib.import_module))
        self._patches.replace(SourceFileLoader, "path_stats", self._stamped(SourceFileLoader.path_stats))
        for loader in _LOADERS:
            self._patches.replace(loader, "exec_module", self._noted(loader.exec_module))

    def stop(self) -> None:
        """End the record; imports are Python's own again."""
        self._patches.undo()

    def closure(self, roots: Iterable[str]) -> frozenset[str]:
        """Return every module that these need, with those that were there before."""
        found: set[str] = set()
        waiting = [*roots, *self.before]
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                waiting += self.needs.get(name, ())
                if parent := name.rpartition(".")[0]:
                    waiting.append(parent)
        return frozenset(found & (sys.modules.keys() | set(roots)))

    def files(self, modules: Iterable[str]) -> dict[str, Stamp]:
        """Return the stamps of the files that these modules came from."""
        found: dict[str, Stamp] = {}
        for name in modules:
            if (file := _file(sys.modules.get(name))) is None:
                continue
            if file not in self.stamps and (now := stamp(file)):
                self.stamps[file] = now
            if file in self.stamps:
                found[file] = self.stamps[file]
        return found

    def importing(self) -> str:
        """Return the module that is being executed; empty outside of any."""
        return self._running[-1] if self._running else ""

    def _recorded_import(self, original: Callable[..., ModuleType]) -> Callable[..., ModuleType]:
        def recorded(
            name: str,
            globals: Mapping[str, Any] | None = None,  # noqa: A002
            locals: Mapping[str, Any] | None = None,  # noqa: A002
            fromlist: Sequence[str] | None = (),
            level: int = 0,
        ) -> ModuleType:
            module = original(name, globals, locals, fromlist, level)
            importer = str(globals.get("__name__", "")) if globals else ""
            if importer.startswith(_MACHINERY):  # C code has no globals of its own
                importer = self.importing()
            if globals and importer:
                self._note(importer, _absolute(name, globals, level), fromlist or ())
            return module

        return recorded

    def _recorded_import_module(self, original: Callable[..., ModuleType]) -> Callable[..., ModuleType]:
        def recorded(name: str, package: str | None = None) -> ModuleType:
            module = original(name, package)
            if self._running:
                self._note(self._running[-1], importlib.util.resolve_name(name, package), ())
            return module

        return recorded

    def _note(self, importer: str, name: str, fromlist: Sequence[str]) -> None:
        needs = self.needs[importer]
        needs.add(name)
        needs.update(full for item in fromlist if (full := f"{name}.{item}") in sys.modules)

    def _stamped(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def path_stats(loader: Any, path: str) -> Any:
            if now := stamp(path):
                self.stamps[path] = now
            return original(loader, path)

        return path_stats

    def _noted(self, original: Callable[..., None]) -> Callable[..., None]:
        """Note which module runs, and that the one beneath it needs it: imports from C code name no importer."""

        def exec_module(loader: Any, module: ModuleType) -> None:
            if self._running:
                self.needs[self._running[-1]].add(module.__name__)
            self._running.append(module.__name__)
            try:
                original(loader, module)
            finally:
                self._running.pop()

        return exec_module


def stamp(file: str) -> Stamp | None:
    """Return modification time [ns] and size [byte] of a file; None if it is not there."""
    try:
        status = os.stat(file)  # noqa: PTH116  # a thousand of them before each fork
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size


def changed(files: Mapping[str, Stamp]) -> str | None:
    """Return a file that is no longer as it was."""
    return next((file for file, before in files.items() if stamp(file) != before), None)


def _absolute(name: str, globals: Mapping[str, Any], level: int) -> str:  # noqa: A002
    if not level:
        return name
    package = globals.get("__package__") or str(globals["__name__"]).rpartition(".")[0]
    return importlib.util.resolve_name("." * level + name, package)


def _file(module: ModuleType | None) -> str | None:
    file = getattr(module, "__file__", None)
    return file if isinstance(file, str) else None
