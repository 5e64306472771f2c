"""Compose's variables in text: `$VAR`, `${VAR}`, `${VAR:-default}`, `${VAR:?error}`, `${VAR:+other}`, `$$`.

A text is parsed into parts first, so that its variables and their defaults can be seen before they are filled.
Source: Compose Specification, chapter Interpolation.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_PLAIN = re.compile(r"[^$}]+|\}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OPERATOR = re.compile(r":?[-?+]")
MAX_DEPTH = 32


class InterpolationError(ValueError):
    """A text whose variables cannot be parsed or filled; its message says why."""


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable in a text: its name, the operator after it (or "") and the operator's word."""

    name: str
    operator: str
    word: "Template"

    def render(self, values: Mapping[str, str]) -> str:
        """Return the text that stands for the variable."""
        value = values.get(self.name)
        absent = value is None or (self.operator.startswith(":") and not value)
        match self.operator[-1:]:
            case "-":
                return self.word.render(values) if absent else str(value)
            case "+":
                return "" if absent else self.word.render(values)
            case "?" if absent:
                reason = self.word.render(values) or "not set"
                raise InterpolationError(f"variable {self.name} is required: {reason}")
        return value or ""


@dataclass(frozen=True, slots=True)
class Template:
    """A text with variables in it."""

    parts: tuple[str | Variable, ...]

    def render(self, values: Mapping[str, str]) -> str:
        """Return the text with its variables filled; one that is not set and has no default becomes empty."""
        return "".join(part if isinstance(part, str) else part.render(values) for part in self.parts)

    def variables(self) -> Iterator[Variable]:
        """Yield every variable, those within defaults too."""
        for part in self.parts:
            if isinstance(part, Variable):
                yield part
                yield from part.word.variables()


def parse(text: str) -> Template:
    """Find the variables in a text."""
    template, _ = _parts(text, 0, depth=0)
    return template


def _parts(text: str, at: int, *, depth: int) -> tuple[Template, int]:
    """Parse up to the end, or within a variable up to its closing brace; `depth` counts the variables around."""
    if depth > MAX_DEPTH:
        raise InterpolationError(f"variables nested deeper than {MAX_DEPTH} levels")
    parts: list[str | Variable] = []
    while at < len(text) and not (depth and text[at] == "}"):
        if text[at] == "$":
            part, at = _dollar(text, at, depth)
        else:
            part = _PLAIN.match(text, at).group()  # type: ignore[union-attr]  # it matches all but "$"
            at += len(part)
        parts.append(part)
    return Template(tuple(parts)), at


def _dollar(text: str, at: int, depth: int) -> tuple[str | Variable, int]:
    """Parse what begins with a dollar sign; one that begins no variable stays as it is."""
    if text.startswith("$$", at):
        return "$", at + 2
    if text.startswith("${", at):
        return _braced(text, at + 2, depth)
    if name := _NAME.match(text, at + 1):
        return Variable(name.group(), "", Template(())), name.end()
    return "$", at + 1


def _braced(text: str, at: int, depth: int) -> tuple[Variable, int]:
    if not (name := _NAME.match(text, at)):
        raise InterpolationError(f"no variable name after ${{ in {text!r}")
    operator = _OPERATOR.match(text, name.end())
    word, at = Template(()), name.end()
    if operator:
        word, at = _parts(text, operator.end(), depth=depth + 1)
    if text[at : at + 1] != "}":
        raise InterpolationError(f"expected }} or one of - + ? := after {name.group()} in {text!r}")
    return Variable(name.group(), operator.group() if operator else "", word), at + 1
