"""Output of the commands: colours on a terminal, tables, complaints."""

import os
import sys
from collections.abc import Iterable, Sequence
from typing import TextIO

_COLOURS = (36, 32, 33, 35, 34, 96, 92, 93, 95, 94)
RED, GREEN, DIM = 31, 32, 2


def has_colour(stream: TextIO) -> bool:
    """Whether a stream is a terminal whose user wants colour (no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR")


def paint(text: str, code: int, stream: TextIO = sys.stdout) -> str:
    """Return a text in a colour, if the stream has colour."""
    return f"\x1b[{code}m{text}\x1b[0m" if has_colour(stream) else text


def complain(message: str, last_words: Sequence[str] = ()) -> None:
    """Print an error and the last log lines of its cause on stderr."""
    for line in last_words:
        print(f"  | {line}", file=sys.stderr)
    print(f"{paint('qiki:', RED, sys.stderr)} {message}", file=sys.stderr)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table whose columns are as wide as they need."""
    lines = [head, *rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def prefixes(sources: Sequence[str]) -> dict[str, str]:
    """Return what stands before the log lines of each source, each in its colour."""
    width = max((len(source) for source in sources), default=0)
    return {source: paint(f"{source.ljust(width)} |", _COLOURS[i % len(_COLOURS)]) for i, source in enumerate(sources)}
