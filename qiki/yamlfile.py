"""YAML files read into pydantic models: an invalid file gives one error with file, line and field."""

from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from qiki.textfile import FileError, read_text, shortened
from qiki.yamltree import Loader, NotYamlError, parse_yaml

M = TypeVar("M", bound=BaseModel)


def load_yaml_model(path: Path, model: type[M]) -> M:
    """Read the file into `model`.

    A FileError names the first fault: unreadable, not YAML, a duplicate key, or not valid for the model.
    """
    root = _compose(path)
    try:
        content = _Constructor("").construct_document(root)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise FileError(path, line, "", f"not valid YAML: {error.problem}") from None
    try:
        return model.model_validate(content)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_context=False)[0]
        line, field = _find(root, fault["loc"], fault["type"])
        raise FileError(path, line, field, _reason(fault["type"], fault["msg"], fault["input"])) from None


class _Constructor(Loader):
    """A constructor that refuses duplicate keys, and gives the line of a value that it cannot construct."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[object, object]:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise _wrong(key, "a key must be a single name or number")
            if key.value in seen:
                raise _wrong(key, f"key {key.value!r} is given twice")
            seen.add(key.value)
        return super().construct_mapping(node, deep)

    def construct_object(self, node: yaml.Node, deep: bool = False) -> object:
        try:
            return super().construct_object(node, deep)
        except (ValueError, OverflowError) as error:  # an impossible date or number
            raise _wrong(node, str(error)) from None


def _wrong(node: yaml.Node, problem: str) -> yaml.MarkedYAMLError:
    return yaml.constructor.ConstructorError(None, None, problem, node.start_mark)


def _compose(path: Path) -> yaml.Node:
    try:
        root = parse_yaml(read_text(path))
    except NotYamlError as error:
        raise FileError(path, error.line, "", f"not valid YAML: {error}") from None
    if not isinstance(root, yaml.MappingNode):
        raise FileError(path, 1, "", "expected a mapping (key: value lines)")
    return root


def _find(root: yaml.Node, location: tuple[int | str, ...], kind: str) -> tuple[int, str]:
    """Return line and dotted path of a pydantic location, as deep as it exists in the file, without union tags."""
    node, line, names = root, root.start_mark.line, []
    for depth, part in enumerate(location):
        child = _child(node, part)
        if child is not None:
            key, node = child
            line = (key if kind == "extra_forbidden" else node).start_mark.line
        elif kind != "missing" or depth < len(location) - 1:
            continue  # the tag of a union is no key of the file
        names.append(str(part))
    return line + 1, ".".join(names)


def _child(node: yaml.Node, part: int | str) -> tuple[yaml.Node, yaml.Node] | None:
    """Return the node at which a value begins, its key or itself, and the value; None if there is none."""
    if isinstance(node, yaml.MappingNode):
        return next(((key, value) for key, value in node.value if key.value == str(part)), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part], node.value[part]
    return None


def _reason(kind: str, message: str, value: object) -> str:
    if kind == "missing":
        return "is missing"
    if kind == "extra_forbidden":
        return "is not a known key"
    text = message.removeprefix("Value error, ")
    return text if isinstance(value, dict | list) else f"{text}, got {shortened(repr(value))}"
