"""The snapshot on disk: whole or none, and only of this stream."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
import structlog
from prometheus_client import REGISTRY

from faststream_bridge.snapshot import FailureNote, Snapshot, SnapshotFile
from qiki.errors import UserError

STREAM = "2026-01-01 00:00:00+00:00"
STORED = datetime(2026, 1, 1, 0, 1, 2, 345678, UTC)
SNAPSHOT = Snapshot(STREAM, 7, STORED, [{"run": "r", "last": 3}])


@pytest.fixture
def file(tmp_path: Path) -> SnapshotFile:
    return SnapshotFile(tmp_path / "state")


def test_there_is_none_at_first(file: SnapshotFile):
    assert file.read(STREAM, 100) is None


def test_a_written_snapshot_is_read(file: SnapshotFile):
    file.write(SNAPSHOT.to_bytes())
    assert file.read(STREAM, 7) == SNAPSHOT


def test_the_newest_is_read_and_nothing_else_is_left(file: SnapshotFile, tmp_path: Path):
    file.write(SNAPSHOT.to_bytes())
    file.write(Snapshot(STREAM, 9, None, []).to_bytes())
    assert file.read(STREAM, 9) == Snapshot(STREAM, 9, None, [])
    assert [path.name for path in (tmp_path / "state").iterdir()] == ["tracker-snapshot.json"]


def test_a_snapshot_of_another_stream_is_refused(file: SnapshotFile):
    file.write(SNAPSHOT.to_bytes())
    assert file.read("2026-01-02 00:00:00+00:00", 100) is None


def test_a_snapshot_beyond_the_streams_end_is_refused(file: SnapshotFile):
    """The broker came back without its last messages."""
    file.write(SNAPSHOT.to_bytes())
    assert file.read(STREAM, 6) is None


@pytest.mark.parametrize(
    "content",
    [
        b"",
        SNAPSHOT.to_bytes()[:-5],
        b"\xff\xfe",
        b"[]",
        b"null",
        b"{}",
        b'{"version": 2, "stream": "2026-01-01 00:00:00+00:00"}',
        SNAPSHOT.to_bytes().replace(b'"version": 2', b'"version": 1'),
        SNAPSHOT.to_bytes().replace(b"2026-01-01T", b"yesterday "),
        SNAPSHOT.to_bytes().replace(b'"sequence": 7', b'"sequence": 1e999'),
        SNAPSHOT.to_bytes().replace(b'"sequence": 7', b'"sequence": "x"'),
    ],
)
def test_a_torn_snapshot_or_one_of_another_version_is_refused(file: SnapshotFile, tmp_path: Path, content: bytes):
    (tmp_path / "state/tracker-snapshot.json").write_bytes(content)
    assert file.read(STREAM, 100) is None


def test_a_time_without_its_zone_can_be_compared(file: SnapshotFile, tmp_path: Path):
    (tmp_path / "state/tracker-snapshot.json").write_bytes(SNAPSHOT.to_bytes().replace(b'+00:00", "runs', b'", "runs'))
    found = file.read(STREAM, 7)
    assert found is not None
    assert found.stored is not None
    assert found.stored.tzinfo is UTC


def test_a_part_that_a_killed_process_left_does_not_matter(file: SnapshotFile, tmp_path: Path):
    file.write(SNAPSHOT.to_bytes())
    (tmp_path / "state/tracker-snapshot.part").write_bytes(b"{")
    assert file.read(STREAM, 7) == SNAPSHOT


def test_a_folder_that_cannot_be_made_is_the_users_to_mend(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"^QIKI_STATE_DIR: cannot write into .*/file/state: Not a directory$"):
        SnapshotFile(tmp_path / "file/state")


def test_a_folder_that_cannot_be_written_is_the_users_to_mend(tmp_path: Path):
    (tmp_path / "tracker-snapshot.part").mkdir()  # nobody can write there, root neither
    with pytest.raises(UserError, match=r"^QIKI_STATE_DIR: cannot write into .*: Is a directory$"):
        SnapshotFile(tmp_path)


def failed(what: str) -> float:
    return REGISTRY.get_sample_value("qiki_bridge_failed_writes_total", {"what": what}) or 0.0


def test_while_it_cannot_be_written_the_old_one_stays_and_it_is_said_once(file: SnapshotFile, tmp_path: Path):
    file.write(SNAPSHOT.to_bytes())
    before, obstacle = failed("snapshot"), tmp_path / "state/tracker-snapshot.part"
    obstacle.mkdir()
    later = Snapshot(STREAM, 9, STORED, [])
    with structlog.testing.capture_logs() as said:
        for _ in range(3):
            file.write(later.to_bytes())
        assert file.read(STREAM, 9) == SNAPSHOT
        obstacle.rmdir()
        file.write(later.to_bytes())
    assert file.read(STREAM, 9) == later
    assert [one["event"] for one in said] == ["snapshot not written, the old one stays", "snapshot written again"]
    assert failed("snapshot") == before + 3


@pytest.mark.parametrize("content", [None, b"\xff"])
def test_a_failure_that_cannot_be_noted_or_read_is_said_and_ends_nothing(tmp_path: Path, content: bytes | None):
    note, before = tmp_path / "failed-on", failed("failure")
    if content is None:
        note.mkdir()
    else:
        note.write_bytes(content)
    with structlog.testing.capture_logs() as said:
        failures = FailureNote(tmp_path)
        assert not failures.names(STREAM, 7)
        failures.write(STREAM, 7)
    told = ["note of a failure unreadable", "failure not noted"]
    assert [one["event"] for one in said] == (told if content is None else told[:1])
    assert failed("failure") == before + (content is None)
    assert FailureNote(tmp_path).names(STREAM, 7) == (content is not None)
