"""Queries of the audit log: by code, range, source, severity and time."""

import contextlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from pydantic_core import from_json

from qiki.audit.files import audit_files, lines_backward, read_lines
from qiki.clock import parse_rfc3339
from qiki.contracts.audit import SEVERITIES, Severity
from qiki.contracts.events import RANGES

Record = Mapping[str, Any]
_RANGE = re.compile(r"([1-9])(?:xx)?|(\d{3})-(\d{3})", re.IGNORECASE)
_AGO = re.compile(r"(\d+(?:\.\d+)?)([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


@dataclass(frozen=True, slots=True)
class Query:
    """Conditions of a record; all that are given must hold."""

    codes: tuple[int, ...] = ()  # any of these, or any of `ranges`
    ranges: tuple[tuple[int, int], ...] = ()  # first and last code of each
    source: str | None = None  # a part of it
    severity: Severity | None = None  # this one or a worse one
    since: datetime | None = None  # registered at that time or later
    until: datetime | None = None  # registered before

    def matches(self, record: Record) -> bool:
        """Return whether a record meets all conditions."""
        return (
            self._has_code(record["code"])
            and (self.source is None or self.source in record["source"])
            and (self.severity is None or SEVERITIES.index(record["severity"]) >= SEVERITIES.index(self.severity))
            and self._is_in_time(record["registered_at"])
        )

    def _has_code(self, code: int | None) -> bool:
        if not self.codes and not self.ranges:
            return True
        return code is not None and (code in self.codes or any(first <= code <= last for first, last in self.ranges))

    def _is_in_time(self, text: str) -> bool:
        if self.since is None and self.until is None:
            return True
        moment = parse_rfc3339(text)
        return (self.since is None or moment >= self.since) and (self.until is None or moment < self.until)


def find(folder: Path, query: Query) -> Iterator[tuple[bytes, Record]]:
    """Yield matching lines and their records, oldest first; a damaged line is skipped, and reported by `verify`."""
    for path in audit_files(folder):
        with contextlib.suppress(FileNotFoundError):  # an old file may be removed meanwhile
            yield from _matching(read_lines(path), query)


def newest(folder: Path, query: Query, count: int) -> list[tuple[bytes, Record]]:
    """Return the last `count` matching records, oldest first."""
    found: list[tuple[bytes, Record]] = []
    for path in reversed(audit_files(folder)):
        with contextlib.suppress(FileNotFoundError):
            found.extend(islice(_matching(lines_backward(path), query), count - len(found)))
    return found[::-1]


class Follower:
    """Finds the records that are registered from now on."""

    def __init__(self, folder: Path, query: Query) -> None:
        self._folder, self._query = folder, query
        self._offsets = {path: path.stat().st_size for path in audit_files(folder)}

    def new(self) -> Iterator[tuple[bytes, Record]]:
        """Yield the matching records since the last call."""
        for path in audit_files(self._folder):
            offset = self._offsets.get(path, 0)
            if path.stat().st_size <= offset:
                continue
            with path.open("rb") as file:
                file.seek(offset)
                whole = file.read()
            whole = whole[: whole.rfind(b"\n") + 1]
            self._offsets[path] = offset + len(whole)
            yield from _matching(iter(whole.splitlines(keepends=True)), self._query)


def code_range(text: str) -> tuple[int, int]:
    """Read a range of codes, `2xx`, `2` or `200-299`; raise ValueError if it is none of these."""
    match = _RANGE.fullmatch(text.strip())
    if match is None or (match[2] and match[2] > match[3]):
        raise ValueError(f"expected one such as 2xx or 200-299 (there are 1xx to {max(RANGES)}xx), got {text!r}")
    if match[1]:
        return int(match[1]) * 100, int(match[1]) * 100 + 99
    return int(match[2]), int(match[3])


def moment(text: str, now: datetime) -> datetime:
    """Read a time in RFC 3339, or one before `now`, as `90s`, `10m`, `2h`, `1d`; raise ValueError if it is neither."""
    ago = _AGO.fullmatch(text.strip())
    if ago:
        return now - timedelta(**{_UNITS[ago[2]]: float(ago[1])})
    try:
        return parse_rfc3339(text.strip())
    except ValueError:
        raise ValueError(f"expected 10m, 2h, or a time such as 2026-01-31T12:00:00Z, got {text!r}") from None


def _matching(lines: Iterator[bytes], query: Query) -> Iterator[tuple[bytes, Record]]:
    for line in lines:
        try:
            record = from_json(line)
            wanted = query.matches(record)
        except (ValueError, LookupError, TypeError):
            continue
        if wanted:
            yield line, record
