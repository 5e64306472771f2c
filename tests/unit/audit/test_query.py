"""Finding records by code, range, source, severity and time."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from qiki.audit.files import audit_files
from qiki.audit.journal import FileLimits, Journal
from qiki.audit.query import Follower, Query, code_range, find, moment, newest
from qiki.audit.record import Draft

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
LIMITS = FileLimits(max_bytes=1 << 20, max_age_s=3)
WHAT = [  # one a second from noon on
    (100, "urn:qiki:registrar:life", "INFO"),
    (500, "urn:qiki:q-sim-service:world", "INFO"),
    (802, "urn:qiki:faststream-bridge:radar_guard", "CRITICAL"),
    (None, "/outside", "INFO"),
    (202, "urn:qiki:q-sim-radar:publisher", "ERROR"),
    (802, "urn:qiki:q-sim-service:control", "WARNING"),
]


@pytest.fixture
def log(tmp_path: Path, draft: Callable[..., Draft]) -> Path:
    journal = Journal(tmp_path, LIMITS)
    journal.open()
    for number, (code, source, severity) in enumerate(WHAT):
        one = draft(number, code=code, source=source, severity=severity)
        journal.append([one], NOON + timedelta(seconds=number))
    journal.close()
    assert len(audit_files(tmp_path)) == 2
    return tmp_path


def sequences(found) -> list[int]:
    return [record["sequence"] for _, record in found]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (Query(), [1, 2, 3, 4, 5, 6]),
        (Query(codes=(802,)), [3, 6]),
        (Query(codes=(100, 500)), [1, 2]),
        (Query(ranges=((200, 299),)), [5]),
        (Query(codes=(100,), ranges=((800, 899),)), [1, 3, 6]),
        (Query(source="q-sim-service"), [2, 6]),
        (Query(severity="WARNING"), [3, 5, 6]),
        (Query(severity="CRITICAL"), [3]),
        (Query(since=NOON + timedelta(seconds=4)), [5, 6]),
        (Query(until=NOON + timedelta(seconds=1)), [1]),
        (Query(codes=(802,), severity="ERROR"), [3]),
    ],
)
def test_all_that_is_asked_must_hold(log: Path, query: Query, expected: list[int]):
    found = list(find(log, query))
    assert sequences(found) == expected
    assert sequences(newest(log, query, 100)) == expected
    assert sequences(newest(log, query, 1)) == expected[-1:]
    assert newest(log, query, 0) == []


def test_lines_are_given_as_they_are(log: Path):
    assert b"".join(line for line, _ in find(log, Query())) == b"".join(path.read_bytes() for path in audit_files(log))


def test_a_line_that_is_no_record_is_skipped(log: Path):
    file = audit_files(log)[0]
    file.write_bytes(b'not JSON\n{"a": 1}\n[1]\n' + file.read_bytes())
    assert sequences(find(log, Query(severity="INFO"))) == [1, 2, 3, 4, 5, 6]


def test_a_follower_finds_new_whole_lines_and_new_files(log: Path, draft: Callable[..., Draft]):
    follower = Follower(log, Query(severity="ERROR"))
    assert list(follower.new()) == []
    journal = Journal(log, LIMITS)
    journal.open()
    journal.append([draft(7, severity="ERROR"), draft(8)], NOON + timedelta(seconds=5))
    assert sequences(follower.new()) == [7]
    journal.append([draft(9, severity="ERROR")], NOON + timedelta(hours=1))
    assert sequences(follower.new()) == [9]
    newest_file = audit_files(log)[-1]
    whole = journal.append([draft(10, severity="ERROR")], NOON + timedelta(hours=1))[0].line
    newest_file.write_bytes(newest_file.read_bytes()[: -len(whole) // 2])
    assert list(follower.new()) == []
    journal.close()


@pytest.mark.parametrize(("text", "expected"), [("2xx", (200, 299)), ("8", (800, 899)), ("210-299", (210, 299))])
def test_ranges_as_people_write_them(text: str, expected: tuple[int, int]):
    assert code_range(text) == expected


@pytest.mark.parametrize("text", ["", "0xx", "2x", "299-200", "all", "12"])
def test_a_text_that_is_no_range_is_refused(text: str):
    with pytest.raises(ValueError, match="expected one such as 2xx or 200-299"):
        code_range(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90s", NOON - timedelta(seconds=90)),
        ("10m", NOON - timedelta(minutes=10)),
        ("1.5h", NOON - timedelta(minutes=90)),
        ("1d", NOON - timedelta(days=1)),
        ("2026-01-31T12:00:00Z", datetime(2026, 1, 31, 12, tzinfo=UTC)),
        ("2026-01-31T13:00:00+01:00", datetime(2026, 1, 31, 12, tzinfo=UTC)),
    ],
)
def test_times_as_people_write_them(text: str, expected: datetime):
    assert moment(text, NOON) == expected


@pytest.mark.parametrize("text", ["", "soon", "10", "2026-01-31T12:00:00"])
def test_a_text_that_is_no_time_is_refused(text: str):
    with pytest.raises(ValueError, match="expected 10m, 2h, or a time such as"):
        moment(text, NOON)
