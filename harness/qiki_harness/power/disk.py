"""The model of the disk: what a power failure leaves of files and names.

The contents of a file are safe after fsync or fdatasync of the file, or with each write where it was opened with O_SYNC
or O_DSYNC. Names (of what was made, renamed or removed) are safe as `Names` says. Of what is not safe a power failure
leaves anything from nothing to all: contents by pages, in any order; names in the order in which they were changed.
Nothing becomes safe by itself with time, though systems write within half a minute or so: that is the worst case.
"""

import errno
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath
from random import Random

from qiki_harness.power.nodes import Attributes, File, Folder, Node


class Names(StrEnum):
    """The file systems' promises about names."""

    STRICT = "strict"
    """POSIX: a name is safe after fsync of its folder."""
    JOURNAL = "journal"
    """ext4, XFS, btrfs: fsync of a file, too, makes its own name safe, and all names that were changed before it."""


@dataclass(frozen=True, eq=False, slots=True)
class Renaming:
    """One change of names, which happens whole or not at all: each name's node after it; None: it is gone."""

    number: int
    entries: tuple[tuple[Folder, str, Node | None], ...]

    def within(self, folders: set[Folder]) -> bool:
        """Return whether one of the folders changes."""
        return any(folder in folders for folder, _, _ in self.entries)

    def apply(self) -> None:
        """Change the names on the disk."""
        for folder, name, node in self.entries:
            if node is None:
                folder.kept.pop(name, None)
            else:
                folder.kept[name] = node


class Disk:
    """Files and folders by path, from `/`. Errors are the system's (OSError)."""

    def __init__(self, names: Names = Names.STRICT) -> None:
        self.root = Folder(Attributes(0o755))
        self._promise = names
        self._number = 0
        self._unsynced: list[Renaming] = []

    def find(self, path: str) -> Node:
        """Return what a path names; ENOENT or ENOTDIR where that is not there."""
        node: Node = self.root
        for name in PurePosixPath(path).parts[1:]:
            try:
                node = as_folder(node).names[name]
            except KeyError:
                raise OSError(errno.ENOENT, "no such file", path) from None
        return node

    def file(self, path: str) -> File:
        """Return the file of a path."""
        node = self.find(path)
        if isinstance(node, Folder):
            raise OSError(errno.EISDIR, "is a folder", path)
        return node

    def add(self, path: str, node: Node) -> None:
        """Give a new file or folder its name."""
        folder, name = self._place(path)
        if name in folder.names:
            raise OSError(errno.EEXIST, "exists", path)
        self._rename((folder, name, node))

    def remove(self, path: str) -> None:
        """Take a name away; ENOTEMPTY for a folder with names in it."""
        folder, name = self._place(path)
        _check_empty(self.find(path))
        self._rename((folder, name, None))

    def rename(self, old: str, new: str) -> None:
        """Give a file or folder another name, in place of what has it."""
        node, (source, name), (target, new_name) = self.find(old), self._place(old), self._place(new)
        if (there := target.names.get(new_name)) is node:
            return
        if there is not None:
            _check_empty(there)
        self._rename((source, name, None), (target, new_name, node))

    def sync(self, node: Node) -> None:
        """Make a file's content or a folder's names safe."""
        if isinstance(node, File):
            node.sync()
        if self._promise is Names.JOURNAL:
            safe = {one for one in self._unsynced if one.number <= node.renamed}
        else:
            safe = self._all_of(node) if isinstance(node, Folder) else set()
        if safe:
            for renaming in self._unsynced:
                if renaming in safe:
                    renaming.apply()
            self._unsynced = [one for one in self._unsynced if one not in safe]

    def lose_power(self, chance: Random) -> None:
        """Forget what was not synced."""
        some = chance.choice((0, len(self._unsynced), chance.randint(0, len(self._unsynced))))
        for renaming in self._unsynced[:some]:
            renaming.apply()
        self._unsynced.clear()
        _lose_power(self.root, chance)

    def _all_of(self, folder: Folder) -> set[Renaming]:
        """Return the changes of a folder's names, with all changes that a rename ties to them."""
        folders = {folder}
        while True:
            found = {one for one in self._unsynced if one.within(folders)}
            reached = {of for one in found for of, _, _ in one.entries}
            if reached <= folders:
                return found
            folders |= reached

    def _rename(self, *entries: tuple[Folder, str, Node | None]) -> None:
        self._number += 1
        for folder, name, node in entries:
            folder.renamed = self._number
            if (before := folder.names.pop(name, None)) is not None:
                before.links, before.renamed = 0, self._number
            if node is not None:
                folder.names[name] = node
                node.links, node.renamed = 1, self._number
        self._unsynced.append(Renaming(self._number, entries))

    def _place(self, path: str) -> tuple[Folder, str]:
        pure = PurePosixPath(path)
        return as_folder(self.find(str(pure.parent))), pure.name


def as_folder(node: Node) -> Folder:
    """Return a folder; ENOTDIR where it is a file."""
    if isinstance(node, File):
        raise NotADirectoryError(errno.ENOTDIR, "is no folder")
    return node


def _check_empty(node: Node) -> None:
    if isinstance(node, Folder) and node.names:
        raise OSError(errno.ENOTEMPTY, "is not empty")


def _lose_power(folder: Folder, chance: Random) -> None:
    folder.names = dict(folder.kept)
    for node in folder.names.values():
        node.links = 1
        if isinstance(node, File):
            node.lose_power(chance)
        else:
            _lose_power(node, chance)
