"""The model of a disk whose power fails."""

import os
from random import Random

import pytest

from qiki_harness.power.disk import Disk, Names
from qiki_harness.power.nodes import PAGE, Attributes, Change, File, Folder

SEEDS = range(200)
OLD, NEW = b"o" * PAGE, b"n" * PAGE


def make(disk: Disk, path: str, content: bytes = b"") -> File:
    file = File(Attributes(0o644))
    disk.add(path, file)
    if content:
        file.change(Change(0, content))
    return file


def make_folder(disk: Disk, path: str) -> Folder:
    folder = Folder(Attributes(0o755))
    disk.add(path, folder)
    return folder


def tree(disk: Disk, path: str = "/") -> dict[str, bytes]:
    """The files with their contents, and the folders."""
    found = {}
    folder = disk.find(path)
    assert isinstance(folder, Folder)
    for name, node in folder.names.items():
        full = os.path.join(path, name)  # noqa: PTH118
        found |= {full: bytes(node.content)} if isinstance(node, File) else {full: b"/", **tree(disk, full)}
    return found


def safe(names: Names, content: bytes = b"") -> tuple[Disk, File]:
    """A disk with one file, `/file`, that is safe."""
    disk = Disk(names)
    file = make(disk, "/file", content)
    disk.sync(file)
    disk.sync(disk.root)
    return disk, file


@pytest.mark.parametrize("names", Names)
@pytest.mark.parametrize("seed", SEEDS)
def test_what_was_synced_survives(names: Names, seed: int):
    disk, file = safe(names, OLD + NEW)
    file.change(Change(PAGE, b"x"))
    file.change(Change(7))
    file.change(Change(3, b"1234"))
    disk.sync(file)
    disk.lose_power(Random(seed))
    assert tree(disk) == {"/file": b"ooo1234"}


def outcomes(content: bytes, *changes: Change) -> set[bytes]:
    found = set()
    for seed in SEEDS:
        disk, file = safe(Names.STRICT, content)
        for change in changes:
            file.change(change)
        disk.lose_power(Random(seed))
        found.add(bytes(file.content))
    return found


def test_of_what_was_not_synced_any_page_may_be_there():
    assert outcomes(OLD * 2, Change(0, NEW * 2)) == {OLD * 2, NEW * 2, NEW + OLD, OLD + NEW}


def test_an_end_that_was_appended_is_torn_at_pages_and_may_have_holes():
    assert outcomes(b"o" * 10, Change(10, b"n" * PAGE)) == {
        b"o" * 10,
        b"o" * 10 + b"n" * (PAGE - 10),
        b"o" * 10 + b"n" * PAGE,
        b"o" * 10 + bytes(PAGE - 10) + b"n" * 10,
    }


def test_a_length_that_was_not_synced_may_be_the_old_one():
    assert outcomes(OLD, Change(100)) == {OLD, OLD[:100]}


@pytest.mark.parametrize(("names", "kept"), [(Names.STRICT, {False, True}), (Names.JOURNAL, {True})])
def test_the_name_of_a_synced_file_is_safe_with_its_folder_or_with_itself(names: Names, kept: set[bool]):
    found = set()
    for seed in SEEDS:
        disk = Disk(names)
        make_folder(disk, "/folder")
        disk.sync(make(disk, "/folder/file", NEW))
        disk.lose_power(Random(seed))
        found.add(tree(disk).get("/folder/file") == NEW)
    assert found == kept


@pytest.mark.parametrize("names", Names)
def test_a_file_that_replaces_another_is_the_old_or_the_new_one_where_it_was_synced_before(names: Names):
    found = set()
    for seed in SEEDS:
        disk, _ = safe(names, OLD)
        part = make(disk, "/part", NEW)
        disk.sync(part)
        disk.rename("/part", "/file")
        disk.lose_power(Random(seed))
        found.add(bytes(disk.file("/file").content))
    assert found == {OLD, NEW}


def test_a_file_that_was_not_synced_before_it_replaced_another_may_be_empty():
    found = set()
    for seed in SEEDS:
        disk, _ = safe(Names.JOURNAL, OLD)
        make(disk, "/part", NEW)
        disk.rename("/part", "/file")
        disk.lose_power(Random(seed))
        found.add(bytes(disk.file("/file").content))
    assert found == {OLD, b"", NEW}


@pytest.mark.parametrize("names", Names)
def test_names_are_safe_after_a_sync_of_their_folder(names: Names):
    for seed in SEEDS:
        disk, _ = safe(names, OLD)
        make(disk, "/other")
        disk.rename("/file", "/moved")
        disk.remove("/other")
        disk.sync(disk.root)
        disk.remove("/moved")
        disk.sync(disk.root)
        disk.lose_power(Random(seed))
        assert tree(disk) == {}


def test_names_come_in_the_order_in_which_they_were_changed():
    found = set()
    for seed in SEEDS:
        disk = Disk()
        for name in "abc":
            make(disk, f"/{name}")
        disk.lose_power(Random(seed))
        found.add("".join(tree(disk)).replace("/", ""))
    assert found == {"", "a", "ab", "abc"}


def test_a_file_that_moved_to_another_folder_is_in_one_of_them():
    for seed in SEEDS:
        disk = Disk()
        for path in ("/from", "/to"):
            make_folder(disk, path)
        disk.sync(disk.root)
        file = make(disk, "/from/file", NEW)
        disk.sync(file)
        disk.sync(disk.find("/from"))
        disk.rename("/from/file", "/to/file")
        if seed % 2:
            disk.sync(disk.find("/to"))
        disk.lose_power(Random(seed))
        places = [path for path, content in tree(disk).items() if content == NEW]
        assert places == ["/to/file"] if seed % 2 else len(places) == 1


def test_the_same_seed_leaves_the_same():
    def left(seed: int) -> dict[str, bytes]:
        disk = Disk()
        for name in "abcdef":
            make(disk, f"/{name}", name.encode() * 3 * PAGE)
        disk.lose_power(Random(seed))
        return tree(disk)

    assert all(left(seed) == left(seed) for seed in SEEDS)
    assert len({str(left(seed)) for seed in SEEDS}) > 10


def test_the_disk_refuses_what_a_file_system_refuses():
    disk, _ = safe(Names.STRICT)
    make_folder(disk, "/folder")
    make(disk, "/folder/file")
    with pytest.raises(FileNotFoundError):
        disk.find("/nobody")
    with pytest.raises(NotADirectoryError):
        disk.find("/file/below")
    with pytest.raises(FileExistsError):
        make(disk, "/file")
    with pytest.raises(IsADirectoryError):
        disk.file("/folder")
    with pytest.raises(OSError, match="not empty"):
        disk.remove("/folder")
