"""Files and folders as programs see them, and as the disk holds them."""

import stat
import time
from dataclasses import dataclass, field
from random import Random
from typing import TypeAlias

PAGE = 4096
"""Size of what a disk writes whole or not at all [byte]."""


@dataclass(frozen=True, slots=True)
class Change:
    """A change of a file's content: bytes at an offset, or its length where `data` is None."""

    offset: int
    data: bytes | None = None

    def apply(self, content: bytearray) -> None:
        """Change a content; what is skipped is zeros."""
        if self.data is None:
            del content[self.offset :]
        if len(content) < self.offset:
            content.extend(bytes(self.offset - len(content)))
        if self.data is not None:
            content[self.offset : self.offset + len(self.data)] = self.data

    def pages(self) -> list["Change"]:
        """Return the parts of it that a disk writes whole or not at all."""
        if self.data is None:
            return [self]
        edges = [self.offset, *range((self.offset // PAGE + 1) * PAGE, self.offset + len(self.data), PAGE)]
        ends = [*edges[1:], self.offset + len(self.data)]
        start = self.offset
        return [Change(one, self.data[one - start : end - start]) for one, end in zip(edges, ends, strict=True)]


@dataclass(eq=False, slots=True)
class Attributes:
    """Metadata for `stat` beside kind and size; it counts as synced at once."""

    mode: int
    uid: int = 0
    gid: int = 0
    accessed_ns: int = field(default_factory=time.time_ns)
    modified_ns: int = field(default_factory=time.time_ns)


class File:
    """A file: its content, what of it is on the disk, and the changes in between.

    Attributes:
        renamed: number of the last change of names that concerns it
    """

    kind = stat.S_IFREG

    def __init__(self, attributes: Attributes) -> None:
        self.attributes = attributes
        self.links = 1
        self.renamed = 0
        self.content = bytearray()
        self.kept = bytearray()
        self.unsynced: list[Change] = []

    @property
    def size(self) -> int:
        """Length of the content [byte]."""
        return len(self.content)

    def change(self, change: Change) -> None:
        """Change the content, in memory."""
        change.apply(self.content)
        self.unsynced.append(change)
        self.attributes.modified_ns = time.time_ns()

    def sync(self) -> None:
        """Write all changes to the disk."""
        for change in self.unsynced:
            change.apply(self.kept)
        self.unsynced.clear()

    def lose_power(self, chance: Random) -> None:
        """Forget the changes that were not synced; some may have reached the disk, or parts of them.

        Nothing of them; all of them; the first ones, of the last of which a part; or any pages of them, in which case
        zeros stand where a page before the last one is missing.
        """
        pages = [page for change in self.unsynced for page in change.pages()]
        match chance.randrange(4):
            case 0:
                pages.clear()
            case 1:
                del pages[chance.randint(0, len(pages)) :]
            case 2:
                pages = [page for page in pages if chance.random() < 0.5]
        for page in pages:
            page.apply(self.kept)
        self.unsynced.clear()
        self.content = bytearray(self.kept)


class Folder:
    """A folder: its names, and those of them that are on the disk.

    Attributes:
        renamed: as a file's; its own name's changes and those of the names in it
    """

    kind = stat.S_IFDIR
    size = PAGE

    def __init__(self, attributes: Attributes) -> None:
        self.attributes = attributes
        self.links = 2
        self.renamed = 0
        self.names: dict[str, File | Folder] = {}
        self.kept: dict[str, File | Folder] = {}


Node: TypeAlias = File | Folder
