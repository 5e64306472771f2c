"""docs/library.md: how the library is used, what each room offers, and which module holds what."""

import ast
import inspect
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "docs/examples/library"
ORDER = ("fly", "track", "guard", "audit", "engine")
ROOMS = (
    *(
        "envs",
        "tasks",
        "flight",
        "world",
        "radar",
        "tracking",
        "guard",
        "agent",
        "audit",
        "botspec",
        "contracts",
        "runtime",
    ),
)
HEAD = """\
# The library

`qiki/` is what people import: a room for each noun of the field. Every room but `runtime` is pure: no clock, no socket,
no log, no chance of its own. `services/` are thin shells that carry a room's bytes; `harness/` runs and tests them.
Made by `scripts/gen_docs.py` from the docstrings; a test runs the examples.

## What is promised

Three rooms are for programs of yours: `qiki.envs`, `qiki.flight` and `qiki.agent`. Between two versions with the same
first number:

- A name in their tables below stays, with its arguments and their meaning. What goes is deprecated for a minor version,
  and says so.
- The same inputs, seeds and orders give the same bytes in patch versions. A minor version may change them, and
  [CHANGELOG.md](../CHANGELOG.md) says so.
- A world, an observation or a reward that changes gets an environment with another number (`qiki/Avoid-v1`), and the
  old one stays for a minor version. A policy's file names the layout of its observations, and another one is refused.
- A saved flight or environment is read by the version that wrote it. A recording is read by later ones.
- Everything else in `qiki`, and all of `services` and `harness`, may change in any version.
"""


def library() -> str:
    """Return the page."""
    return "\n".join([HEAD, *_examples(), *_offers(), *_modules()])


def _examples() -> Iterator[str]:
    for name in ORDER:
        tree, text = _parsed(EXAMPLES / f"{name}.py")
        title, colon, rest = (ast.get_docstring(tree) or "").partition(": ")
        code = text.partition('"""\n\n')[2]
        yield f"## {title.rstrip('.')}\n"
        if colon:
            yield f"{rest[0].upper()}{rest[1:]}\n"
        yield f"```python\n{code}```\n"


def _offers() -> Iterator[str]:
    """Yield a table of public names for each room that has some."""
    yield "## What each room offers\n"
    for room in ROOMS:
        module = import_module(f"qiki.{room}")
        names = getattr(module, "__all__", ())
        if not names:
            continue
        yield f"### `qiki.{room}`\n\n{_first(module.__doc__)}\n\n| name | what it is |\n| --- | --- |"
        yield from (
            f"| `{name}{_signature(getattr(module, name))}` | {_about(getattr(module, name))} |" for name in names
        )
        yield ""


def _modules() -> Iterator[str]:
    """Yield every module of the product with the first line of its docstring."""
    yield "## Which module holds what\n"
    for folder in ("qiki", "services", "harness/qiki_harness"):
        for package in sorted({path.parent for path in (ROOT / folder).rglob("*.py")}):
            yield f"### `{package.relative_to(ROOT)}/`\n"
            if (init := package / "__init__.py").exists():
                yield f"{_first(ast.get_docstring(_parsed(init)[0]))}\n"
            if rows := list(_rows(package)):
                yield "| file | what is in it |\n| --- | --- |"
                yield from rows
                yield ""


def _rows(package: Path) -> Iterator[str]:
    """Yield the modules of a folder, and its data files with their first comment."""
    for path in sorted((*package.glob("*.py"), *package.glob("*.yaml"), *package.glob("*.conf"), *package.glob("*.c"))):
        if path.suffix == ".py":
            about = _first(ast.get_docstring(_parsed(path)[0]))
        else:
            about = path.read_text().partition("\n")[0].lstrip("#/* ")
        if path.name not in {"__init__.py", "__main__.py"}:
            yield f"| `{path.name}` | {about} |"


def _parsed(path: Path) -> tuple[ast.Module, str]:
    text = path.read_text()
    return ast.parse(text), text


def _signature(value: object) -> str:
    """Return the parameters' names of a function; nothing for a class or a constant."""
    if not inspect.isfunction(value):
        return ""
    return f"({', '.join(inspect.signature(value).parameters)})"


def _about(value: object) -> str:
    if inspect.isclass(value) or inspect.isfunction(value):
        return _first(value.__doc__)
    if isinstance(value, Path):
        return f"`{value.relative_to(ROOT)}`"
    return f"`{value!r}`" if isinstance(value, str) else type(value).__name__


def _first(docstring: str | None) -> str:
    """Return the first line of a docstring, as a cell of a table."""
    return (docstring or "").strip().partition("\n")[0].replace("|", "\\|")
