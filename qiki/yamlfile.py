"""YAML files read into pydantic models: an invalid file gives one error with file, line and field."""

import contextlib
import re
from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from qiki.errors import UserError

M = TypeVar("M", bound=BaseModel)
BOOL = "tag:yaml.org,2002:bool"
QUICK_TEXT = 16_384
TRUE_OR_FALSE = re.compile("^(?:true|false)$")


class FileError(UserError):
    """An invalid file: its line from 1, None if it cannot be read; the field's dotted path, "" for the whole file."""

    def __init__(self, path: Path, line: int | None, field: str, reason: str) -> None:
        place = f"{path}" if line is None else f"{path}:{line}"
        super().__init__(f"{place}: {field + ': ' if field else ''}{' '.join(reason.split())}")
        self.path, self.line, self.field = path, line, field


def load_yaml_model(path: Path, model: type[M]) -> M:
    """Read the file into `model`.

    A FileError names the first fault: unreadable, not YAML, a duplicate key, or not valid for the model.
    """
    root = _compose(path)
    try:
        content = _Loader("").construct_document(root)
    except yaml.MarkedYAMLError as error:
        raise _syntax(path, error) from None
    try:
        return model.model_validate(content)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_context=False)[0]
        line, field = _find(root, fault["loc"], fault["type"])
        raise FileError(path, line, field, _reason(fault["type"], fault["msg"], fault["input"])) from None


class _Loader(yaml.SafeLoader):
    """A safe loader that refuses duplicate keys, and gives the line of a value that it cannot construct.

    Only `true` and `false` are booleans: ON and OFF are text, as in YAML 1.2.
    """

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
        except ValueError as error:  # an impossible date or number
            raise _wrong(node, str(error)) from None


def _wrong(node: yaml.Node, problem: str) -> yaml.MarkedYAMLError:
    return yaml.constructor.ConstructorError(None, None, problem, node.start_mark)


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != BOOL] + [(BOOL, TRUE_OR_FALSE)] * (first in "tf")
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


class _QuickLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """A loader that composes a file in an eighth of the time, if this build of yaml has it; a start waits for it."""

    yaml_implicit_resolvers = _Loader.yaml_implicit_resolvers


def _compose(path: Path) -> yaml.Node:
    try:
        root = _root(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FileError(path, None, "", f"cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise FileError(path, None, "", "is not UTF-8 text") from None
    except yaml.MarkedYAMLError as error:
        raise _syntax(path, error) from None
    except yaml.reader.ReaderError as error:
        line = path.read_text(encoding="utf-8").count("\n", 0, error.position) + 1
        raise FileError(path, line, "", f"not valid YAML: character #x{error.character:02x} is not allowed") from None
    if not isinstance(root, yaml.MappingNode):
        raise FileError(path, 1, "", "expected a mapping (key: value lines)")
    return root


def _root(text: str) -> yaml.Node | None:
    """Compose a document; YAMLError if it is none.

    The quick loader says less of a fault, so that the other one finds it again. It recurses in C, without a limit: not
    for a long text.
    """
    if len(text) <= QUICK_TEXT:
        with contextlib.suppress(yaml.YAMLError):
            return yaml.compose(text, _QuickLoader)
    return yaml.compose(text, _Loader)


def _syntax(path: Path, error: yaml.MarkedYAMLError) -> FileError:
    mark = error.problem_mark or error.context_mark
    problem = f"{error.context}, {error.problem}" if error.context else error.problem
    return FileError(path, mark.line + 1 if mark else 1, "", f"not valid YAML: {problem}")


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
    return text if isinstance(value, dict | list) else f"{text}, got {value!r}"
