"""The engine of a run, as it travels to the process that flies it."""

import hashlib
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Literal

from qiki.agent.discovery import ALL, NONE, POLICY, RESERVED, load_engines
from qiki.agent.engine import GROUP, Engine
from qiki.agent.engine_call import describe
from qiki.botspec import BotConfig
from qiki.tasks.onnx_policy import SUFFIX, OnnxPolicy
from qiki.tasks.policy import Policy
from qiki.tasks.table import read_engine, read_policy
from qiki_harness.errors import HarnessError

Kind = Literal["none", "installed", "file", "policy"]
POLICY_SUFFIXES, PYTHON_SUFFIX = (".npz", SUFFIX), ".py"


@dataclass(frozen=True)
class EngineSource:
    """An engine by its content: the same wherever it is flown.

    Attributes:
        label: as the user gave it
        name: that the agent calls it by
        attribute: class or function of a file
        content: of a file or a policy
        sha256: of the content; of an installed engine, of its module
    """

    label: str
    kind: Kind
    name: str = ""
    attribute: str = ""
    content: bytes = field(default=b"", repr=False)
    sha256: str = ""

    @cached_property
    def identity(self) -> tuple[str, ...]:
        """Fields on which a run depends."""
        return self.kind, self.name, self.attribute, self.sha256

    def engines(self, bot: BotConfig) -> dict[str, Engine]:
        """Make the engine, and return it by its name; nothing for `none`.

        Raises:
            UserError: it cannot be made.
        """
        if self.kind == "none":
            return {}
        if self.kind == "installed":
            return load_engines(self.name, bot)
        if self.kind == "policy":
            return {self.name: _policy(self, bot)}
        try:
            engine = _factory(self)(bot)
        except Exception as error:
            raise HarnessError(f"engine {self.label} cannot be loaded: {describe(error)}") from error
        if not callable(getattr(engine, "propose", None)):
            raise HarnessError(f"engine {self.label} has no method `propose`")
        return {self.name: engine}


def read_source(label: str) -> EngineSource:
    """Return the engine that a text names: `none`, an installed one, FILE.py:CLASS, or a policy (.npz, .onnx).

    Raises:
        HarnessError: there is no such engine, or its file cannot be read.
    """
    if label == NONE:
        return EngineSource(label, "none")
    path, _, attribute = label.partition(":")
    if path.endswith(PYTHON_SUFFIX):
        return _of_file(label, Path(path), attribute)
    if label.endswith(POLICY_SUFFIXES):
        content = _read(Path(label), label)
        return EngineSource(label, "policy", POLICY, content=content, sha256=_sha256(content))
    return _of_installed(label)


def _of_file(label: str, path: Path, attribute: str) -> EngineSource:
    name = re.sub(r"[^A-Za-z0-9_]", "_", path.stem)
    if not attribute.isidentifier():
        raise HarnessError(f"engine {label}: expected FILE.py:CLASS")
    if name in RESERVED:
        raise HarnessError(f"engine {label}: the name {name} is reserved")
    content = _read(path, label)
    return EngineSource(label, "file", name, attribute, content, _sha256(content))


def _of_installed(label: str) -> EngineSource:
    points: dict[str, EntryPoint] = {point.name: point for point in entry_points(group=GROUP)}
    if label == ALL or label not in points:
        there = ", ".join([NONE, *sorted(points), "FILE.py:CLASS", "POLICY.npz"])
        raise HarnessError(f"no engine {label!r} is installed (expected one of: {there})")
    spec = find_spec(points[label].module)
    origin = Path(spec.origin) if spec and spec.origin else None
    content = origin.read_bytes() if origin and origin.is_file() else points[label].value.encode()
    return EngineSource(label, "installed", label, sha256=_sha256(content))


def _read(path: Path, label: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise HarnessError(f"engine {label}: {path} cannot be read: {error.strerror}") from None


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def policy_of(source: EngineSource) -> Policy | OnnxPolicy:
    """Return the policy of a source; PolicyError if it holds none that fits."""
    with _as_file(source) as path:
        return read_policy(path)


def _policy(source: EngineSource, bot: BotConfig) -> Engine:
    with _as_file(source) as path:
        return read_engine(path, bot)


@contextmanager
def _as_file(source: EngineSource) -> Iterator[Path]:
    with TemporaryDirectory(prefix="qiki-policy-") as folder:
        path = Path(folder) / Path(source.label).name
        path.write_bytes(source.content)
        yield path


def _factory(source: EngineSource) -> Callable[[BotConfig], Engine]:
    """Return the class of a file; its module is made once in a process."""
    name = f"_qiki_engine_{source.name}_{source.sha256[:16]}"
    if name not in sys.modules:
        module = ModuleType(name)
        module.__file__ = source.label.partition(":")[0]
        sys.modules[name] = module  # where dataclasses look for their module
        try:
            exec(compile(source.content, module.__file__, "exec"), module.__dict__)  # noqa: S102  # the user's own code
        except BaseException:
            del sys.modules[name]
            raise
    factory: Callable[[BotConfig], Engine] = getattr(sys.modules[name], source.attribute)
    return factory
