"""Whatever is done to a log after it was written shows, and where."""

import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qiki.audit.files import audit_files
from qiki.audit.journal import FileLimits, Journal
from qiki.audit.record import START, Draft, Entry, Head, own_draft, seal
from qiki.audit.verify import verify
from qiki.contracts.events import AUDIT_BROKEN, AUDIT_PRUNED, AuditBroken, AuditPruned

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
Write = Callable[..., list[Entry]]
COUNT, PER_FILE = 9, 3
WAYS = ("remove", "change", "double", "swap", "cut", "cut off", "remove file", "empty")


def built(folder: Path) -> Head:
    """Nine records in three files."""
    journal = Journal(folder, FileLimits(max_bytes=1 << 20, max_age_s=PER_FILE))
    journal.open()
    for number in range(1, COUNT + 1):
        one = Draft(f"e{number}", 500, "t", "urn:s", NOON, {"n": number}, "INFO")
        journal.append([one], NOON + timedelta(seconds=number))
    journal.close()
    return journal.head


def faults(folder: Path, anchor: Head | None = None) -> list[str]:
    return [str(fault) for fault in verify(folder, anchor).faults]


@pytest.fixture
def head(tmp_path: Path) -> Head:
    return built(tmp_path)


def test_a_log_as_it_was_written_is_whole(tmp_path: Path, head: Head):
    report = verify(tmp_path, head)
    assert (report.files, report.records, report.first_sequence, report.head) == (3, 9, 1, head)
    assert report.faults == []
    assert verify(tmp_path / "nowhere").records == 0


@settings(max_examples=60)
@given(data=st.data())
def test_any_one_change_shows_where_it_is(data):
    """A line removed, changed, doubled, swapped or cut, or a file removed, cut off or emptied: each with the anchor."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        head = built(folder)
        files = audit_files(folder)
        which = data.draw(st.integers(0, len(files) - 1))
        lines = files[which].read_bytes().splitlines(keepends=True)
        row = data.draw(st.integers(0, len(lines) - 1))
        sequence = which * PER_FILE + row + 1
        match data.draw(st.sampled_from(WAYS)):
            case "remove":
                del lines[row]
            case "change":
                lines[row] = lines[row].replace(f'"n":{sequence}'.encode(), b'"n":0')
            case "double":
                lines.insert(row, lines[row])
            case "swap":
                other = data.draw(st.integers(0, len(lines) - 1).filter(lambda one: one != row))
                lines[row], lines[other] = lines[other], lines[row]
            case "cut":
                lines[row] = lines[row][: data.draw(st.integers(0, len(lines[row]) - 1))]
            case "cut off":
                del lines[row:]
            case "remove file":
                files[which].unlink()
                lines = []
            case _:
                lines = []
        if files[which].exists():
            files[which].write_bytes(b"".join(lines))

        found = faults(folder, head)

        assert found
        here_or_behind = [file.name for file in files[which : which + 2]] or [str(folder)]
        if which == len(files) - 1 and not files[which].exists():
            here_or_behind.append(files[which - 1].name)
        assert any(one.startswith(place) for one in found for place in here_or_behind), found


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (lambda lines: lines[:1] + lines[2:], ["audit-000002.jsonl:2: record 5 is missing before it"]),
        (
            lambda lines: [lines[0], lines[1].replace(b'"n":5', b'"n":6'), lines[2]],
            ["audit-000002.jsonl:2: record 5 was changed: its hash is not that of its content"],
        ),
        (
            lambda lines: [lines[1], lines[0], lines[2]],
            [
                "audit-000002.jsonl:1: record 4 is missing before it",
                "audit-000002.jsonl:2: record 4 stands behind record 5: out of order",
                "audit-000002.jsonl:3: record 5 is missing before it",
            ],
        ),
        (lambda lines: lines[:1], ["audit-000003.jsonl:1: records 5 to 6 are missing before it"]),
        (
            lambda lines: [*lines[:2], lines[2][:-1]],
            ["audit-000002.jsonl:3: the line is torn off"],
        ),
        (
            lambda lines: [lines[0], b'{"note": "nothing to see"}\n', *lines[1:]],
            [
                "audit-000002.jsonl:2: this is no audit record",
                "audit-000002.jsonl:3: record 5 stands behind record 5: out of order",
            ],
        ),
    ],
    ids=["removed", "changed", "swapped", "cut off", "torn", "slipped in"],
)
def test_faults_are_reported_once_and_where(tmp_path: Path, head: Head, spoil, expected: list[str]):
    file = audit_files(tmp_path)[1]
    file.write_bytes(b"".join(spoil(file.read_bytes().splitlines(keepends=True))))
    assert faults(tmp_path, head) == expected


@pytest.mark.parametrize(
    ("which", "expected"),
    [
        (0, ["audit-000002.jsonl:1: records 1 to 3 are missing before it"]),
        (
            1,
            [
                "audit-000003.jsonl: audit-000002.jsonl is missing before it",
                "audit-000003.jsonl:1: records 4 to 6 are missing before it",
            ],
        ),
        (2, ["audit-000002.jsonl: records 7 to 9 are missing at its end: the audit stream holds 9"]),
    ],
)
def test_a_removed_file_is_missed(tmp_path: Path, head: Head, which: int, expected: list[str]):
    audit_files(tmp_path)[which].unlink()
    assert faults(tmp_path, head) == expected


def test_all_files_removed_are_missed(tmp_path: Path, head: Head):
    for path in audit_files(tmp_path):
        path.unlink()
    assert faults(tmp_path, head) == [f"{tmp_path}: records 1 to 9 are missing at its end: the audit stream holds 9"]


def test_a_log_cut_at_its_end_looks_right_without_the_anchor(tmp_path: Path, head: Head):
    """Why the head is kept elsewhere too."""
    audit_files(tmp_path)[2].unlink()
    assert faults(tmp_path) == []
    assert faults(tmp_path, head)


def test_a_rewritten_log_with_right_hashes_contradicts_the_anchor(tmp_path: Path, head: Head):
    for path in audit_files(tmp_path):
        path.unlink()
    end = START
    with (tmp_path / "audit-000001.jsonl").open("wb") as file:
        for number in range(1, COUNT + 1):
            entry = seal(Draft(f"e{number}", 500, "t", "urn:s", NOON, {"n": number * 2}, "INFO"), end, NOON)
            file.write(entry.line)
            end = entry.head
    assert faults(tmp_path) == []
    assert faults(tmp_path, head) == ["audit-000001.jsonl:9: record 9 is not the one that the audit stream holds"]


def pruned(through: Head) -> Draft:
    payload = AuditPruned(files=(), last_sequence=through.sequence, last_hash=through.hash, ts_epoch=0)
    return own_draft(AUDIT_PRUNED, "p", payload, NOON)


def test_files_removed_as_configured_are_no_fault_but_one_more_is(tmp_path: Path, write: Write):
    entries = write(tmp_path, 8, per_file=2)
    journal = Journal(tmp_path, FileLimits(max_bytes=1 << 20, max_age_s=1000))
    journal.open()
    journal.append([pruned(entries[1].head)], NOON)
    journal.close()
    assert faults(tmp_path) == []  # recorded, then a crash: they are still there
    audit_files(tmp_path)[0].unlink()
    assert faults(tmp_path) == []
    audit_files(tmp_path)[0].unlink()
    assert faults(tmp_path) == ["audit-000003.jsonl:1: records 3 to 4 are missing before it"]


def test_a_break_that_the_registrar_recorded_stays_a_fault(tmp_path: Path, write: Write):
    write(tmp_path, 2)
    journal = Journal(tmp_path, FileLimits(max_bytes=1 << 20, max_age_s=1000))
    journal.open()
    payload = AuditBroken(found_sequence=2, found_hash="a", expected_sequence=4, expected_hash="b", ts_epoch=0)
    journal.append([own_draft(AUDIT_BROKEN, "b", payload, NOON)], NOON)
    journal.close()
    assert faults(tmp_path) == [
        "audit-000001.jsonl:3: the log ended at 2, not at 4 when the registrar began at 2026-11-23T12:00:00.000000Z"
    ]


def test_a_line_that_is_being_written_is_no_fault(tmp_path: Path, write: Write):
    write(tmp_path, 2)
    file = audit_files(tmp_path)[0]
    journal = Journal(tmp_path, FileLimits(max_bytes=1 << 20, max_age_s=1000))
    journal.open()
    with file.open("ab") as half:
        half.write(b'{"event_id":')
    assert faults(tmp_path) == []
    journal.close()
    assert faults(tmp_path) == ["audit-000001.jsonl:3: the line is torn off"]
