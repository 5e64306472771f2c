"""What the commands print: colours where a terminal is, tables, complaints."""

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
    """Text in a colour, where the stream has colour."""
    return f"\x1b[{code}m{text}\x1b[0m" if has_colour(stream) else text


def complain(message: str, last_words: Sequence[str] = ()) -> None:
    """Say on stderr what went wrong, and what the culprit said last."""
    for line in last_words:
        print(f"  | {line}", file=sys.stderr)
    print(f"{paint('qiki:', RED, sys.stderr)} {message}", file=sys.stderr)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Columns as wide as they need."""
    lines = [head, *rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


class Prefixer:
    """Puts the source before each log line, each source in its colour."""

    def __init__(self, sources: Sequence[str]) -> None:
        width = max((len(source) for source in sources), default=0)
        self._prefixes = {
            source: paint(f"{source.ljust(width)} |", _COLOURS[i % len(_COLOURS)]) for i, source in enumerate(sources)
        }

    def line(self, source: str, text: str) -> str:
        """One line with its prefix."""
        return f"{self._prefixes[source]} {text}"
