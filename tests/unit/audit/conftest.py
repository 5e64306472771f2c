"""Drafts and logs for the tests of the registrar's core."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from qiki.audit.files import audit_files
from qiki.audit.journal import FileLimits, Journal
from qiki.audit.record import Draft, Entry

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def draft() -> Callable[..., Draft]:
    def make(number: int, **changes: object) -> Draft:
        values = {
            "event_id": f"event-{number}", "code": 500, "event_type": "qiki.events.v1.RunStarted",
            "source": "urn:qiki:q-sim-service:world", "timestamp": NOON, "payload": {"n": number}, "severity": "INFO",
        }  # fmt: skip
        return Draft(**(values | changes))

    return make


@pytest.fixture
def write(draft: Callable[..., Draft]) -> Callable[..., list[Entry]]:
    """Write a log of so many records into a folder, so many in each file, one second apart."""

    def make(folder: Path, count: int, per_file: int = 1000) -> list[Entry]:
        journal = Journal(folder, FileLimits(max_bytes=1 << 20, max_age_s=per_file))
        journal.open()
        entries = []
        for number in range(1, count + 1):
            entries += journal.append([draft(number)], NOON + timedelta(seconds=number))
        journal.close()
        return entries

    return make


@pytest.fixture
def lines() -> Callable[[Path], list[bytes]]:
    def read(folder: Path) -> list[bytes]:
        return [line for path in audit_files(folder) for line in path.read_bytes().splitlines(keepends=True)]

    return read
