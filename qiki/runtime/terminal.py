"""The way out: all that the platform prints leaves here, a line at a time, and no text of others can drive a terminal.

Colours are given apart from the text, and sent only to a terminal whose user wants them (no-color.org).
"""

import os
import sys
from dataclasses import dataclass
from typing import TextIO

from qiki.text import printable, printable_json

RED, GREEN, YELLOW, DIM = 31, 32, 33, 2
_CLEAR = "\r\x1b[K"


@dataclass(frozen=True, slots=True)
class Painted:
    """A part of a line in a colour of the terminal (SGR code)."""

    text: str
    colour: int | None


Part = str | Painted
Line = Part | tuple[Part, ...]


class OutputClosedError(Exception):
    """Nobody reads any more what is printed, as behind `| head`."""


def has_colour(stream: TextIO) -> bool:
    """Return whether a stream is a terminal whose user wants colour."""
    return stream.isatty() and not os.environ.get("NO_COLOR")


def echo(*lines: Line, stream: TextIO | None = None) -> None:
    """Print lines, to stdout if no stream is given. Each is one line, whatever is in its text."""
    out = stream or sys.stdout
    _send(out, "".join(f"{_rendered(line, out)}\n" for line in lines))


def echo_json(text: str, stream: TextIO | None = None) -> None:
    """Print a JSON document or line: what a program reads from it is exactly what was given."""
    _send(stream or sys.stdout, printable_json(text) + "\n")


def overwrite(line: Line, stream: TextIO) -> None:
    """Put a line in the place of the last one that was put so; nothing where there is no terminal."""
    if stream.isatty():
        _send(stream, _CLEAR + _rendered(line, stream))


def wipe(stream: TextIO) -> None:
    """Remove the line that `overwrite` put."""
    if stream.isatty():
        _send(stream, _CLEAR)


def drop_output() -> None:
    """Send stdout nowhere from now on: its reader has gone."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def _send(stream: TextIO, text: str) -> None:
    try:
        stream.write(text)
        stream.flush()
    except BrokenPipeError:
        raise OutputClosedError from None


def _rendered(line: Line, stream: TextIO) -> str:
    return "".join(_part(part, stream) for part in (line if isinstance(line, tuple) else (line,)))


def _part(part: Part, stream: TextIO) -> str:
    if isinstance(part, str):
        return printable(part)
    text = printable(part.text)
    coloured = text and part.colour is not None and has_colour(stream)
    return f"\x1b[{part.colour}m{text}\x1b[0m" if coloured else text
