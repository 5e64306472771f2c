"""YAML text as a tree of nodes, within bounds on what a few bytes may ask for: depth, values, values by aliases."""

import contextlib
import re
from dataclasses import dataclass, field
from typing import Any, NoReturn

import yaml

MAX_DEPTH = 64
MAX_VALUES = 100_000  # what an alias stands for counts each time
QUICK_TEXT = 16_384
_SEQUENCE, _MAPPING = "tag:yaml.org,2002:seq", "tag:yaml.org,2002:map"
_BOOL = "tag:yaml.org,2002:bool"
_TRUE_OR_FALSE = re.compile("^(?:true|false)$")
_ENDS = yaml.SequenceEndEvent, yaml.MappingEndEvent


class NotYamlError(ValueError):
    """A text that is no YAML, or beyond the bounds; `line` counts from 1."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(problem)
        self.line = line


class Loader(yaml.SafeLoader):
    """A safe loader. Only `true` and `false` are booleans: ON and OFF are text, as in YAML 1.2."""


Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != _BOOL] + [(_BOOL, _TRUE_OR_FALSE)] * (first in "tf")
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


class QuickLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """A loader that reads a text in a tenth of the time, if this build of yaml has it; a start waits for it."""

    yaml_implicit_resolvers = Loader.yaml_implicit_resolvers


def parse_yaml(text: str) -> yaml.Node | None:
    """Return the root of a text; None if it is empty.

    Raises:
        NotYamlError: it is no YAML, has explicit tags, or is nested deeper or has more values than is allowed.
    """
    if len(text) <= QUICK_TEXT:  # of a fault the quick loader says less, so that the other one finds it again
        with contextlib.suppress(yaml.YAMLError):
            return _Tree(QuickLoader(text)).document()
    try:
        return _Tree((Loader if len(text) <= QUICK_TEXT else QuickLoader)(text)).document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = f"{error.context}, {error.problem}" if error.context else str(error.problem)
        raise NotYamlError(mark.line + 1 if mark else 1, problem) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise NotYamlError(line, f"character #x{error.character:02x} is not allowed") from None


@dataclass(slots=True)
class _Part:
    """A node, how many values it has with all below it, and how deep it is."""

    node: yaml.Node
    values: int
    height: int


@dataclass(slots=True)
class _Tree:
    """Composes one document from a loader's events."""

    loader: Any
    parts: dict[str, _Part] = field(default_factory=dict)
    open: list[str | None] = field(default_factory=list)
    values: int = 0

    def document(self) -> yaml.Node | None:
        """Return the root."""
        self.loader.get_event()  # the stream's start
        if self.loader.check_event(yaml.StreamEndEvent):
            return None
        self.loader.get_event()
        root = self._part(1).node
        self.loader.get_event()
        if not self.loader.check_event(yaml.StreamEndEvent):
            _refuse(self.loader.get_event(), "expected a single document in the stream, but found another document")
        return root

    def _part(self, depth: int) -> _Part:
        event = self.loader.get_event()
        part = self._aliased(event) if isinstance(event, yaml.AliasEvent) else self._made(event, depth)
        if depth + part.height - 1 > MAX_DEPTH:
            _refuse(event, f"nested deeper than {MAX_DEPTH} levels")
        self.values += part.values if isinstance(event, yaml.AliasEvent) else 1
        if self.values > MAX_VALUES:
            _refuse(event, f"more than {MAX_VALUES} values")
        return part

    def _aliased(self, event: yaml.AliasEvent) -> _Part:
        if event.anchor in self.open:
            _refuse(event, f"alias {event.anchor!r} stands within what it names")
        if event.anchor not in self.parts:
            _refuse(event, f"found undefined alias {event.anchor!r}")
        return self.parts[event.anchor]

    def _made(self, event: Any, depth: int) -> _Part:
        if event.tag is not None:
            _refuse(event, f"tag {event.tag!r} is not allowed")
        if isinstance(event, yaml.ScalarEvent):
            part = _Part(self._scalar(event), 1, 1)
        else:
            if depth >= MAX_DEPTH:
                _refuse(event, f"nested deeper than {MAX_DEPTH} levels")
            part = self._collection(event, depth)
        if event.anchor is not None:
            self.parts[event.anchor] = part
        return part

    def _scalar(self, event: Any) -> yaml.Node:
        tag = self.loader.resolve(yaml.ScalarNode, event.value, event.implicit)
        return yaml.ScalarNode(tag, event.value, event.start_mark, event.end_mark, event.style)

    def _collection(self, event: Any, depth: int) -> _Part:
        found: list[_Part] = []
        self.open.append(event.anchor)
        while not self.loader.check_event(*_ENDS):
            found.append(self._part(depth + 1))
        self.open.pop()
        nodes = [part.node for part in found]
        place = event.start_mark, self.loader.get_event().end_mark, event.flow_style
        node: yaml.Node
        if isinstance(event, yaml.MappingStartEvent):
            node = yaml.MappingNode(_MAPPING, list(zip(nodes[::2], nodes[1::2], strict=True)), *place)
        else:
            node = yaml.SequenceNode(_SEQUENCE, nodes, *place)
        return _Part(node, 1 + sum(part.values for part in found), 1 + max((part.height for part in found), default=0))


def _refuse(event: Any, problem: str) -> NoReturn:
    raise yaml.composer.ComposerError(None, None, problem, event.start_mark)
