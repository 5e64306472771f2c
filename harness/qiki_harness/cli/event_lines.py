"""A record of the audit log as a line: on a terminal of 80 columns the most important, on wider ones more."""

import json
import shutil
import sys
from collections.abc import Mapping
from typing import Any, TextIO

from qiki.contracts.events.codes import CODES
from qiki_harness.cli.output import DIM, RED, has_colour, paint

YELLOW = 33
_COLOURS = {"WARNING": YELLOW, "ERROR": RED, "CRITICAL": RED}
_SHORT = {"INFO": "info", "WARNING": "WARN", "ERROR": "ERR!", "CRITICAL": "CRIT"}
_NAME, _SOURCE = 21, 23
# In every payload, and already in the line.
_COMMON = {"schema_version", "category", "source", "ts_epoch", "kind"}
# The keys that come first; for a text the value is enough.
_FIRST = ("message", "reason", "frames", "detections", "tracks")
_WORDS = {"message", "reason"}
_NARROWEST = 80


class EventLines:
    """Prints records; a new day gets a line of its own. The times are those of registration, in UTC."""

    def __init__(self, stream: TextIO = sys.stdout) -> None:
        self._stream = stream
        self._day = ""
        self._width = max(shutil.get_terminal_size().columns, _NARROWEST) if has_colour(stream) else None

    def show(self, _: bytes, record: Mapping[str, Any]) -> None:
        """Print one record."""
        day, _, clock = record["registered_at"].partition("T")
        if day != self._day:
            self._day = day
            print(paint(f"-- {day} (UTC)", DIM, self._stream), file=self._stream)
        text = line(record, clock[:8])[: self._width]
        colour = _COLOURS.get(record["severity"])
        print(paint(text, colour, self._stream) if colour else text, file=self._stream)


def line(record: Mapping[str, Any], clock: str) -> str:
    """Return time, severity, code, its name, source and details."""
    code = record["code"]
    name = CODES.get(code) or record["event_type"].rpartition(".")[2]
    source = record["source"].removeprefix("urn:qiki:")
    head = f"{clock} {_SHORT[record['severity']]} {code or '---'} {name[:_NAME]:{_NAME}} {source[:_SOURCE]:{_SOURCE}}"
    return f"{head} {details(record['payload'])}".rstrip()


def details(payload: Any) -> str:
    """Return the values of a payload that are not in every payload."""
    if not isinstance(payload, dict):
        return "" if payload is None else json.dumps(payload)
    told = {key: value for key, value in payload.items() if key not in _COMMON and value not in ("", None, [], {})}
    keys = [*(key for key in _FIRST if key in told), *(key for key in told if key not in _FIRST)]
    return " ".join(_word(told[key]) if key in _WORDS else f"{key}={_word(told[key])}" for key in keys)


def _word(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
