"""The disk that loses its power, as programs see it."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from qiki_harness.power import Drive, Names

Mount = Callable[..., Drive]
FLAGS = os.O_CREAT | os.O_WRONLY


def write(path: Path, content: bytes, flags: int = FLAGS, *, sync: Callable[[int], None] | None = None) -> None:
    file = os.open(path, flags)
    try:
        os.write(file, content)
        if sync:
            sync(file)
    finally:
        os.close(file)


def sync_folder(path: Path) -> None:
    folder = os.open(path, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


def after_failures(drive: Drive, path: Path, content: bytes) -> set[bytes]:
    """The contents found after several failures in an unsynced change; before each the file is as it was."""
    before, found = path.read_bytes(), set()
    for seed in range(40):
        write(path, before, FLAGS | os.O_TRUNC, sync=os.fsync)
        write(path, content)
        drive.cut(seed)
        drive.restore()
        found.add(path.read_bytes())
    return found


@pytest.mark.parametrize("sync", [os.fsync, os.fdatasync])
def test_synced_contents_survive(drive: Mount, sync: Callable[[int], None]):
    disk = drive()
    for number in range(20):
        write(disk.folder / str(number), str(number).encode() * 9000, sync=sync)
    sync_folder(disk.folder)
    disk.cut(0)
    disk.restore()
    assert {path.name: path.read_bytes() for path in disk.folder.iterdir()} == {
        str(number): str(number).encode() * 9000 for number in range(20)
    }


@pytest.mark.parametrize("flag", [os.O_SYNC, os.O_DSYNC])
def test_each_write_is_safe_where_the_file_was_opened_so(drive: Mount, flag: int):
    disk = drive()
    write(disk.folder / "file", b"first")
    sync_folder(disk.folder)
    write(disk.folder / "file", b"other", os.O_WRONLY | flag)
    disk.cut(0)
    disk.restore()
    assert (disk.folder / "file").read_bytes() == b"other"


def test_contents_that_were_not_synced_are_lost_or_not(drive: Mount):
    disk = drive()
    write(disk.folder / "file", b"first", sync=os.fsync)
    sync_folder(disk.folder)
    assert after_failures(disk, disk.folder / "file", b"other") == {b"first", b"other"}


def test_without_power_every_operation_fails_until_the_disk_is_mounted_again(drive: Mount):
    disk = drive()
    path = disk.folder / "file"
    file = os.open(path, os.O_CREAT | os.O_RDWR)
    os.write(file, b"first")
    os.fsync(file)
    sync_folder(disk.folder)
    disk.cut(0)
    for operation in (
        lambda: os.write(file, b"x"),
        lambda: os.fsync(file),
        (disk.folder / "other").touch,
        lambda: path.rename(disk.folder / "other"),
        path.unlink,
        lambda: os.listdir(disk.folder),  # noqa: PTH208
    ):
        with pytest.raises(OSError, match="Input/output error") as error:
            operation()
        assert error.value.errno == errno.EIO
    os.close(file)
    disk.restore()
    assert path.read_bytes() == b"first"


def test_a_file_without_a_name_can_be_used_as_long_as_it_is_open(drive: Mount):
    path = drive().folder / "file"
    with path.open("w+b", buffering=0) as file:
        file.write(b"first")
        path.unlink()
        file.write(b"second")
        file.seek(0)
        assert file.read() == b"firstsecond"
    assert not path.exists()


def test_folders_are_made_and_removed_and_times_and_rights_are_set(drive: Mount):
    folder = drive().folder / "one" / "two"
    folder.mkdir(parents=True)
    folder.chmod(0o700)
    os.utime(folder, ns=(1, 2))
    assert (folder.stat().st_mode & 0o777, folder.stat().st_mtime_ns) == (0o700, 2)
    folder.rmdir()
    assert list(folder.parent.iterdir()) == []


@pytest.mark.parametrize("names", Names)
def test_a_name_is_safe_with_its_folder_or_with_its_file(drive: Mount, names: Names):
    disk = drive(names=names)
    found = set()
    for seed in range(40):
        write(disk.folder / str(seed), b"x", sync=os.fsync)
        disk.cut(seed)
        disk.restore()
        found.add((disk.folder / str(seed)).exists())
    assert found == {True} | ({False} if names is Names.STRICT else set())
