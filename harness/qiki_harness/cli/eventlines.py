"""Lines of `qiki events`: a record of the audit log for people."""

import shutil
import sys
from collections.abc import Mapping
from typing import Any, TextIO

from qiki.runtime.terminal import DIM, RED, YELLOW, Painted, echo
from qiki.text import printable
from qiki_harness.event_details import details

_SEVERITY_COLOURS = {"WARNING": YELLOW, "ERROR": RED, "CRITICAL": RED}
_SHORT = {"INFO": "info", "WARNING": "WARN", "ERROR": "ERR!", "CRITICAL": "CRIT"}
_NAME, _SOURCE = 21, 23
_NARROWEST, _WIDE = 80, 160  # columns; the second where there is no terminal


class EventLines:
    """Prints records of the audit log with their times of registration in UTC; a new day gets a line of its own.

    A line has the most important on a terminal of 80 columns, and more on wider ones; a long one has all.
    """

    def __init__(self, stream: TextIO = sys.stdout, *, long: bool = False) -> None:
        self._stream = stream
        self._long = long
        self._day = ""
        self._width = max(shutil.get_terminal_size().columns, _NARROWEST) if stream.isatty() else _WIDE

    def show(self, _: bytes, record: Mapping[str, Any]) -> None:
        """Print one record."""
        day, _, clock = record["registered_at"].partition("T")
        if day != self._day:
            self._day = day
            echo(Painted(f"-- {day} (UTC)", DIM), stream=self._stream)
        text = event_line(record, clock[:8], long=self._long)
        if not self._long and len(text) > self._width:
            text = f"{text[: self._width - 1]}…"
        echo(Painted(text, _SEVERITY_COLOURS.get(record["severity"])), stream=self._stream)


def event_line(record: Mapping[str, Any], clock: str, *, long: bool = False) -> str:
    """Return time, severity, code, its name, source and details."""
    from qiki.contracts.events import CODES  # noqa: PLC0415  # pydantic

    code = record["code"]
    name = CODES.get(code) or record["event_type"].rpartition(".")[2]
    source = record["source"].removeprefix("urn:qiki:")
    head = f"{clock} {_SHORT[record['severity']]} {code or '---'} {name[:_NAME]:{_NAME}} {source[:_SOURCE]:{_SOURCE}}"
    return printable(f"{head} {details(record['payload'], long=long)}".rstrip())
