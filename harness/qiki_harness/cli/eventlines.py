"""Lines of `qiki events`: a record of the audit log for people."""

import json
import re
import shutil
import sys
from collections.abc import Iterator, Mapping
from typing import Any, TextIO

from qiki.runtime.terminal import DIM, RED, YELLOW, Painted, echo
from qiki.text import printable

_SEVERITY_COLOURS = {"WARNING": YELLOW, "ERROR": RED, "CRITICAL": RED}
_SHORT = {"INFO": "info", "WARNING": "WARN", "ERROR": "ERR!", "CRITICAL": "CRIT"}
_NAME, _SOURCE = 21, 23
_COMMON = {"schema_version", "category", "source", "ts_epoch", "kind"}  # in every payload, and already in the line
# For programs: what a record is about, and where its causes stand.
_LINKS = {
    "first_sequence", "fsm_event", "head", "last_checked", "last_sequence", "proposal_id", "rests_on", "run_id",
    "second_epoch", "stream", "stream_created",
}  # fmt: skip
_FIRST = (
    "message",
    "reason",
    "detail",
    "justification",
    "reasons",
    "frames",
    "detections",
    "tracks",
    "mode",
    "previous",
)
_TEXTS = {"message", "reason", "detail", "justification", "reasons"}  # the value is enough
_NARROWEST, _WIDE = 80, 160  # columns; the second where there is no terminal
_UUID = re.compile(r"([0-9a-f]{8})-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


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


def details(payload: Any, *, long: bool = False) -> str:
    """Return the values of a payload that are not in every payload.

    In short: without links, each value once, identities by their first digits as `qiki watch` has them, and of a list
    of objects how many there are.
    """
    if not isinstance(payload, dict):
        return "" if payload is None else json.dumps(payload)
    skipped = _COMMON if long else _COMMON | _LINKS
    told = {key: value for key, value in payload.items() if key not in skipped and value not in ("", None, [], {})}
    keys = [*(key for key in _FIRST if key in told), *(key for key in told if key not in _FIRST)]
    return " ".join(_words({key: told[key] for key in keys}, long=long))


def _words(told: Mapping[str, Any], *, long: bool) -> Iterator[str]:
    seen = set[str]()
    for key, value in told.items():
        text = _word(value) if long else _UUID.sub(r"\1", _brief(value))
        if long or not isinstance(value, str) or text not in seen:
            yield text if key in _TEXTS else f"{key}={text}"
        seen.add(text)


def _brief(value: Any) -> str:
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return "; ".join(value)
    if isinstance(value, list) and any(isinstance(one, dict) for one in value):
        return f"({len(value)})"
    return _word(value)


def _word(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
