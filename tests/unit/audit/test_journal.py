"""The journal on real files: order, rotation, repair, and what a refused write leaves."""

import contextlib
import json
import os
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest

from qiki.audit.files import audit_files, has_writer
from qiki.audit.journal import FileLimits, Journal, last_head
from qiki.audit.record import START, Draft, Entry
from qiki.audit.verify import verify
from qiki_harness.testing.files import largest_file

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
ROOMY = FileLimits(max_bytes=1 << 20, max_age_s=86_400)
Make = Callable[..., Draft]
Lines = Callable[[Path], list[bytes]]


@contextmanager
def opened(folder: Path, limits: FileLimits = ROOMY) -> Iterator[Journal]:
    journal = Journal(folder, limits)
    journal.open()
    try:
        yield journal
    finally:
        journal.close()


@contextmanager
def one_more_descriptor() -> Iterator[None]:
    """The system lets this process open one more file, and not two."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with Path(os.devnull).open() as lowest_free:
        limit = lowest_free.fileno() + 1
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def names(folder: Path) -> list[str]:
    return [path.name for path in audit_files(folder)]


def test_a_new_log_begins_at_one_and_continues_where_it_ended(tmp_path: Path, draft: Make, lines: Lines):
    with opened(tmp_path / "deep" / "audit") as journal:
        assert journal.head == START
        first = journal.append([draft(1), draft(2)], NOON)
    with opened(tmp_path / "deep" / "audit") as journal:
        assert journal.head == first[-1].head
        second = journal.append([draft(3)], NOON)
    assert lines(tmp_path / "deep" / "audit") == [entry.line for entry in first + second]
    assert [entry.head.sequence for entry in first + second] == [1, 2, 3]
    assert verify(tmp_path / "deep" / "audit").faults == []


def test_a_file_that_is_full_is_followed_by_one_that_continues_its_head(tmp_path: Path, draft: Make):
    size = len(Journal(tmp_path, ROOMY).append([draft(1)], NOON)[0].line)
    audit_files(tmp_path)[0].unlink()
    with opened(tmp_path, FileLimits(max_bytes=2 * size, max_age_s=1000)) as journal:
        drafts, written = [draft(n) for n in range(1, 6)], list[Entry]()
        while len(written) < 5:
            written += journal.append(drafts[len(written) :], NOON)
    assert names(tmp_path) == ["audit-000001.jsonl", "audit-000002.jsonl", "audit-000003.jsonl"]
    assert [path.read_bytes().count(b"\n") for path in audit_files(tmp_path)] == [2, 2, 1]
    first_of_second = json.loads(audit_files(tmp_path)[1].read_bytes().splitlines()[0])
    assert first_of_second["previous_hash"] == written[1].head.hash
    assert verify(tmp_path).faults == []


def test_a_record_larger_than_a_file_may_be_has_one_of_its_own(tmp_path: Path, draft: Make):
    with opened(tmp_path, FileLimits(max_bytes=600, max_age_s=1000)) as journal:
        for one in (draft(1), draft(2, payload="x" * 5000), draft(3)):
            journal.append([one], NOON)
    assert [path.read_bytes().count(b"\n") for path in audit_files(tmp_path)] == [1, 1, 1]
    assert verify(tmp_path).faults == []


@pytest.mark.parametrize("restarted", [False, True])
def test_a_file_that_is_old_is_followed_by_a_new_one(tmp_path: Path, draft: Make, restarted: bool):
    limits = FileLimits(max_bytes=1 << 20, max_age_s=60)
    journal = Journal(tmp_path, limits)
    journal.open()
    journal.append([draft(1)], NOON)
    journal.append([draft(2)], NOON + timedelta(seconds=59))
    if restarted:
        journal.close()
        journal = Journal(tmp_path, limits)
        journal.open()
    journal.append([draft(3)], NOON + timedelta(seconds=60))
    journal.append([draft(4)], NOON + timedelta(seconds=61))
    journal.close()
    assert [path.read_bytes().count(b"\n") for path in audit_files(tmp_path)] == [2, 2]


def test_a_file_that_was_begun_and_left_empty_is_used(tmp_path: Path, draft: Make):
    """A crash between making a file and its first line."""
    with opened(tmp_path) as journal:
        head = journal.append([draft(1)], NOON)[-1].head
    (tmp_path / "audit-000002.jsonl").touch()
    with opened(tmp_path) as journal:
        assert journal.head == head
        journal.append([draft(2)], NOON)
    assert [path.read_bytes().count(b"\n") for path in audit_files(tmp_path)] == [1, 1]
    assert verify(tmp_path).faults == []


@pytest.mark.parametrize("left", [1, 40, -1])
def test_a_torn_last_line_is_taken_away_and_kept_until_that_is_recorded(
    tmp_path: Path, draft: Make, write: Callable[..., list[Entry]], lines: Lines, left: int
):
    whole = [entry.line for entry in write(tmp_path, 3)]
    audit_files(tmp_path)[0].write_bytes(b"".join(whole[:2]) + whole[2][:left])
    ids = set()
    for _ in range(2):  # a crash before the repair was recorded: reported again
        journal = Journal(tmp_path, ROOMY)
        (torn,) = journal.open()
        assert (torn.file, torn.size) == ("audit-000001.jsonl", len(whole[2][:left]))
        assert (lines(tmp_path), journal.head.sequence) == (whole[:2], 2)
        ids.add(torn.event_id)
        journal.close()
    assert len(ids) == 1
    torn.remains.unlink()
    journal = Journal(tmp_path, ROOMY)
    assert journal.open() == []
    journal.append([draft(3)], NOON)
    journal.close()
    assert verify(tmp_path).faults == []


def test_a_damaged_end_is_left_for_verify_to_find(tmp_path: Path, draft: Make, write: Callable[..., list[Entry]]):
    entries = write(tmp_path, 3)
    file = audit_files(tmp_path)[0]
    file.write_bytes(file.read_bytes().replace(b'"n":3', b'"n":4'))
    with opened(tmp_path) as journal:
        assert journal.head == entries[1].head
        journal.append([draft(4)], NOON)
    assert "audit-000001.jsonl:3: record 3 was changed" in str(verify(tmp_path).faults[0])


def test_a_full_disk_loses_nothing_and_leaves_no_half_line(tmp_path: Path, draft: Make, lines: Lines):
    with opened(tmp_path) as journal:
        first = journal.append([draft(1)], NOON)
        with largest_file(len(first[0].line) + 100):
            for _ in range(3):
                with pytest.raises(OSError, match="File too large"):
                    journal.append([draft(2), draft(3)], NOON)
                assert lines(tmp_path) == [first[0].line]
        second = journal.append([draft(2), draft(3)], NOON)
    assert lines(tmp_path) == [entry.line for entry in first + second]
    assert verify(tmp_path).faults == []


def test_a_folder_that_cannot_be_made_is_reported_and_tried_again(tmp_path: Path, draft: Make):
    obstacle = tmp_path / "data"
    obstacle.touch()
    journal = Journal(obstacle / "audit", ROOMY)
    with pytest.raises(NotADirectoryError):
        journal.open()
    obstacle.unlink()
    assert journal.open() == []
    journal.append([draft(1)], NOON)
    journal.close()
    assert verify(obstacle / "audit").records == 1


def test_a_new_file_that_cannot_be_made_keeps_the_old_one(tmp_path: Path, draft: Make, lines: Lines):
    limits = FileLimits(max_bytes=1 << 20, max_age_s=60)
    with opened(tmp_path, limits) as journal:
        first = journal.append([draft(1)], NOON)
        (tmp_path / "audit-000002.jsonl").mkdir()
        with pytest.raises(FileExistsError):
            journal.append([draft(2)], NOON + timedelta(hours=1))
        (tmp_path / "audit-000002.jsonl").rmdir()
        second = journal.append([draft(2)], NOON + timedelta(hours=1))
    assert lines(tmp_path) == [first[0].line, second[0].line]


def test_a_record_after_the_file_was_removed_begins_a_new_file(tmp_path: Path, draft: Make, lines: Lines):
    with opened(tmp_path) as journal:
        journal.append([draft(1)], NOON)
        audit_files(tmp_path)[0].unlink()
        second = journal.append([draft(2)], NOON)
    assert lines(tmp_path) == [second[0].line]
    assert [str(fault) for fault in verify(tmp_path).faults] == ["audit-000002.jsonl:1: record 1 is missing before it"]


def test_a_folder_has_one_writer(tmp_path: Path):
    assert not has_writer(tmp_path)
    with opened(tmp_path):
        assert has_writer(tmp_path)
        with pytest.raises(OSError, match="another registrar writes there"):
            Journal(tmp_path, ROOMY).open()
    assert not has_writer(tmp_path)
    with opened(tmp_path):
        pass


def test_nothing_of_the_files_is_open_after_the_end(tmp_path: Path, draft: Make):
    before = psutil.Process().num_fds()
    with opened(tmp_path, FileLimits(max_bytes=300, max_age_s=1000)) as journal:
        for number in range(5):
            journal.append([draft(number)], NOON)
    assert psutil.Process().num_fds() == before


def test_more_files_than_are_kept_are_surplus(tmp_path: Path, write: Callable[..., list[Entry]]):
    write(tmp_path, 5, per_file=1)
    assert Journal(tmp_path, ROOMY).surplus() == ([], START)
    surplus, head = Journal(tmp_path, FileLimits(1, 1, keep_files=2)).surplus()
    assert [path.name for path in surplus] == ["audit-000001.jsonl", "audit-000002.jsonl", "audit-000003.jsonl"]
    assert head.sequence == 3


def test_a_file_that_could_not_be_begun_is_begun_at_the_next_attempt(tmp_path: Path, draft: Make):
    """The folder could not be flushed, so the new name might not outlive a power failure."""
    with opened(tmp_path) as journal:
        before = psutil.Process().num_fds()
        with one_more_descriptor(), pytest.raises(OSError, match="Too many open files"):
            journal.append([draft(1)], NOON)
        assert (names(tmp_path), psutil.Process().num_fds()) == ([], before)
        (entry,) = journal.append([draft(1)], NOON)
    assert [path.read_bytes() for path in audit_files(tmp_path)] == [entry.line]


@pytest.mark.parametrize(("spoil", "sequence"), [("edit", 3), ("empty", 2), ("all", 0)])
def test_the_newest_undamaged_line_is_the_end_of_the_files(
    tmp_path: Path, write: Callable[..., list[Entry]], spoil: str, sequence: int
):
    write(tmp_path, 4, per_file=2)
    older, newer = audit_files(tmp_path)
    assert last_head([older, newer]).sequence == 4
    if spoil == "edit":
        newer.write_bytes(newer.read_bytes().replace(b'"n":4', b'"n":5'))
    for path in [older, newer][{"edit": 2, "empty": 1, "all": 0}[spoil] :]:
        path.write_bytes(b"")
    assert last_head([older, newer]).sequence == sequence


def test_zeros_of_a_power_failure_are_a_torn_end_with_all_behind_them(tmp_path: Path, draft: Make, lines: Lines):
    with opened(tmp_path) as journal:
        first = journal.append([draft(1)], NOON)
        rest = journal.append([draft(2), draft(3)], NOON)
    path = audit_files(tmp_path)[0]
    content = path.read_bytes()
    hole = len(first[0].line) + 5
    path.write_bytes(content[:hole] + bytes(50) + content[hole + 50 :])
    journal = Journal(tmp_path, ROOMY)
    with contextlib.closing(journal):
        torn = journal.open()
        assert [one.size for one in torn] == [sum(len(entry.line) for entry in rest)]
        assert journal.head == first[0].head
    assert lines(tmp_path) == [first[0].line]
    assert verify(tmp_path).faults == []
