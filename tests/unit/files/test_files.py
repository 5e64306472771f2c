"""Files that are replaced as a whole."""

from pathlib import Path

import pytest

from qiki.files import make_folder, write_atomically


def test_replaces_a_file_and_leaves_nothing_beside_it(tmp_path: Path):
    path = tmp_path / "state.json"
    for content in (b"old and longer", b"new"):
        write_atomically(path, content)
        assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


def test_a_write_that_fails_keeps_the_old_file_and_no_part_of_the_new_one(tmp_path: Path):
    path = tmp_path / "state"
    path.mkdir()
    (path / "old").touch()
    with pytest.raises(IsADirectoryError):
        write_atomically(path, b"new")
    assert list(tmp_path.iterdir()) == [path]
    assert (path / "old").exists()


def test_syncs_the_file_before_its_name_and_the_folder_after_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path, seen = tmp_path / "state.json", list[tuple[bool, list[str]]]()
    write_atomically(path, b"old")

    def note(descriptor: int) -> None:
        folder = Path(f"/proc/self/fd/{descriptor}").resolve() == tmp_path
        seen.append((folder, [path.read_text(), *sorted(one.name for one in tmp_path.iterdir())]))

    monkeypatch.setattr("os.fsync", note)
    write_atomically(path, b"new")
    assert seen == [(False, ["old", "state.json", "state.part"]), (True, ["new", "state.json"])]


def test_each_folder_is_synced_into_the_one_above_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    seen = list[str]()
    monkeypatch.setattr("os.fsync", lambda descriptor: seen.append(Path(f"/proc/self/fd/{descriptor}").resolve().name))
    for _ in range(2):
        make_folder(tmp_path / "one" / "two" / "three")
    assert seen == ["two", "one", tmp_path.name]


def test_a_folder_in_whose_place_is_a_file_cannot_be_made(tmp_path: Path):
    (tmp_path / "one").touch()
    with pytest.raises(OSError):
        make_folder(tmp_path / "one" / "two")
