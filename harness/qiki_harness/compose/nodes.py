"""The files of a stack: YAML as a tree that knows its lines, its variables not yet filled; lines of `KEY=value`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from io import StringIO
from itertools import chain
from pathlib import Path
from typing import NoReturn

import yaml
from dotenv.parser import parse_stream

from qiki.textfile import FileError, read_text
from qiki.yamltree import NotYamlError, parse_yaml
from qiki_harness.compose.interpolation import InterpolationError, Template, parse
from qiki_harness.errors import ComposeError, HarnessError

_MERGE = "tag:yaml.org,2002:merge"
_NULL = "tag:yaml.org,2002:null"


@dataclass(frozen=True, slots=True)
class YamlNode:
    """One value of the file: a mapping, a list, a scalar with its variables, or None."""

    value: "dict[str, YamlNode] | list[YamlNode] | Template | None"
    file: Path
    line: int
    where: str
    variables: Mapping[str, str] = field(default_factory=dict)

    def fail(self, problem: str) -> NoReturn:
        """Raise a ComposeError that names this value."""
        raise ComposeError(self.file, self.line, self.where or "file", problem)

    def filled(self, variables: Mapping[str, str]) -> "YamlNode":
        """Return the same tree with these values for its variables."""
        return YamlNode(self.value, self.file, self.line, self.where, variables)

    def entries(self) -> "dict[str, YamlNode]":
        """Return the entries of a mapping; None counts as an empty one."""
        if self.value is None:
            return {}
        if not isinstance(self.value, dict):
            self.fail("expected a mapping")
        return {key: node.filled(self.variables) for key, node in self.value.items()}

    def get(self, key: str) -> "YamlNode":
        """Return one entry of a mapping; an empty node if there is none."""
        return self.entries().get(key) or YamlNode(None, self.file, self.line, self.where)

    def items(self) -> "list[YamlNode]":
        """Return the items of a list; a single scalar counts as a list of one."""
        if isinstance(self.value, list):
            return [node.filled(self.variables) for node in self.value]
        if isinstance(self.value, dict):
            self.fail("expected a list")
        return [] if self.value is None else [self]

    def template(self) -> Template:
        """Return a scalar with its variables unfilled."""
        if not isinstance(self.value, Template):
            self.fail("expected one value")
        return self.value

    def text(self) -> str:
        """Return a scalar with its variables filled."""
        try:
            return self.template().render(self.variables)
        except InterpolationError as error:
            self.fail(str(error))

    @property
    def is_list(self) -> bool:
        """True for a list."""
        return isinstance(self.value, list)

    def walk(self) -> "Iterator[YamlNode]":
        """Yield every scalar below."""
        match self.value:
            case dict() as entries:
                yield from chain.from_iterable(node.walk() for node in entries.values())
            case list() as items:
                yield from chain.from_iterable(node.walk() for node in items)
            case Template():
                yield self


def read(file: Path) -> YamlNode:
    """Read a YAML file; a ComposeError says that it is not YAML, or that a key stands twice."""
    try:
        root = parse_yaml(_text(file))
    except NotYamlError as error:
        raise ComposeError(file, error.line, "YAML", str(error)) from None
    if root is None:
        raise ComposeError(file, 1, "file", "is empty")
    return _build(root, file, "")


def read_env_file(file: Path) -> dict[str, str]:
    """Read the variables of a file of `KEY=value` lines: compose's `.env` or an `env_file`."""
    bindings = [one for one in parse_stream(StringIO(_text(file))) if one.key or one.error]
    found: dict[str, str] = {}
    for one in bindings:
        if one.key is None or one.value is None:
            raise ComposeError(
                file, one.original.line, one.key or " ".join(one.original.string.split()), "expected KEY=value"
            )
        found[one.key] = one.value
    return found


def _text(file: Path) -> str:
    try:
        return read_text(file)
    except FileError as error:
        raise HarnessError(str(error)) from None


def _build(raw: yaml.Node, file: Path, where: str) -> YamlNode:
    line = raw.start_mark.line + 1
    match raw:
        case yaml.MappingNode():
            return YamlNode(_mapping(raw, file, where), file, line, where)
        case yaml.SequenceNode():
            items = [_build(item, file, f"{where}[{i}]") for i, item in enumerate(raw.value)]
            return YamlNode(items, file, line, where)
    if raw.tag == _NULL:
        return YamlNode(None, file, line, where)
    try:
        return YamlNode(parse(raw.value), file, line, where)
    except InterpolationError as error:
        raise ComposeError(file, line, where, str(error)) from error


def _mapping(raw: yaml.MappingNode, file: Path, where: str) -> dict[str, YamlNode]:
    """Return the entries of a mapping: those that `<<` brings in, under the mapping's own."""
    own: dict[str, YamlNode] = {}
    merged: dict[str, YamlNode] = {}
    for key, value in raw.value:
        if not isinstance(key, yaml.ScalarNode):
            raise ComposeError(file, key.start_mark.line + 1, where or "file", "a key must be a single name or number")
        if key.tag == _MERGE:
            merged = {**_merged(value, file, where), **merged}
            continue
        path = f"{where}.{key.value}" if where else str(key.value)
        if key.value in own:
            raise ComposeError(file, key.start_mark.line + 1, path, "stands twice")
        node = _build(value, file, path)
        # A missing value has the key's line: its own mark is where the next token begins.
        own[str(key.value)] = node if node.value is not None else YamlNode(None, file, key.start_mark.line + 1, path)
    return {**merged, **own}


def _merged(raw: yaml.Node, file: Path, where: str) -> dict[str, YamlNode]:
    """Return the entries that a merge key brings in; of several mappings the earlier one wins."""
    merged: dict[str, YamlNode] = {}
    for source in raw.value if isinstance(raw, yaml.SequenceNode) else [raw]:
        if not isinstance(source, yaml.MappingNode):
            raise ComposeError(file, raw.start_mark.line + 1, f"{where}.<<", "expected a mapping to merge")
        merged = {**_mapping(source, file, where), **merged}
    return merged
