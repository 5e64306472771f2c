"""The disk as a mounted file system (FUSE), in a process of its own.

    python -m qiki_harness.power.mount FOLDER strict|journal

It takes commands from its input, one a line, and answers each with a line. `cut SEED`: the power fails; from then on
every operation fails with EIO. `on`: the file system is mounted again, with what is left. At the end of its input it
ends, and the mount with it.

Not as on a disk: `fstat` of an open file whose name is gone fails (ESTALE), and there are no links.
"""

import errno
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import wraps
from pathlib import Path
from random import Random
from typing import Any, TypeVar, cast

import mfusepy  # type: ignore[import-untyped]

from qiki.runtime.terminal import echo
from qiki_harness.power.disk import Disk, Names, as_folder
from qiki_harness.power.nodes import PAGE, Attributes, Change, File, Folder, Node

SPACE_BYTES = 64 << 30
UNMOUNT_S = 20.0
LEAVE_S = 0.5
F = TypeVar("F", bound=Callable[..., Any])


def _powered(work: F) -> F:
    """Do one operation at a time, and only while there is power."""

    @wraps(work)
    def one(self: "Operations", *arguments: Any) -> Any:
        with self._guard:
            if self.cut:
                raise OSError(errno.EIO, "no power")
            self.counts[work.__name__] += 1
            return work(self, *arguments)

    return cast("F", one)


class Operations(mfusepy.Operations):  # type: ignore[misc]  # the package has no types
    """File system operations, as FUSE calls them. A handle is the number of an open file."""

    use_ns = True

    def __init__(self, disk: Disk) -> None:
        self.disk = disk
        self._guard = threading.Lock()
        self.mounted = threading.Event()
        self.cut = False
        self.counts = Counter[str]()
        self._open: dict[int, tuple[File, bool]] = {}
        self._handles = 0

    def init(self, path: str) -> None:  # noqa: ARG002
        """Note that the system has mounted it."""
        self.mounted.set()

    def lose_power(self, seed: int) -> None:
        """Forget what was not synced; refuse everything until `restore`."""
        with self._guard:
            self.cut = True
            self.disk.lose_power(Random(seed))  # noqa: S311 - no secret
            self._open.clear()

    def restore(self) -> None:
        """Work again."""
        with self._guard:
            self.cut = False

    @_powered
    def getattr(self, path: str, fh: int | None = None) -> dict[str, Any]:
        """Return a node's attributes."""
        node = self._node(path, fh)
        attributes = node.attributes
        return {
            "st_mode": node.kind | attributes.mode,
            "st_nlink": node.links,
            "st_uid": attributes.uid,
            "st_gid": attributes.gid,
            "st_size": node.size,
            "st_blocks": -(-node.size // 512),
            "st_blksize": PAGE,
            "st_atime": attributes.accessed_ns,
            "st_mtime": attributes.modified_ns,
            "st_ctime": attributes.modified_ns,
        }

    @_powered
    def readdir(self, path: str, fh: int) -> Iterable[str]:  # noqa: ARG002
        """Return a folder's names."""
        return [".", "..", *as_folder(self.disk.find(path)).names]

    @_powered
    def statfs(self, path: str) -> dict[str, int]:  # noqa: ARG002
        """Return a size that nothing reaches."""
        pages = SPACE_BYTES // PAGE
        blocks = {"f_blocks": pages, "f_bfree": pages, "f_bavail": pages}
        return {"f_bsize": PAGE, "f_frsize": PAGE, "f_files": pages, "f_ffree": pages, "f_namemax": 255, **blocks}

    @_powered
    def mkdir(self, path: str, mode: int) -> int:
        """Make a folder."""
        self.disk.add(path, Folder(_attributes(mode)))
        return 0

    @_powered
    def create(self, path: str, mode: int, flags: int) -> int:
        """Make a file, and open it."""
        file = File(_attributes(mode))
        self.disk.add(path, file)
        return self._opened(file, flags)

    @_powered
    def open(self, path: str, flags: int) -> int:
        """Open a file."""
        file = self.disk.file(path)
        if flags & os.O_TRUNC and file.size:
            file.change(Change(0))
        return self._opened(file, flags)

    @_powered
    def read(self, path: str, size: int, offset: int, fh: int) -> bytes:
        """Return a part of a file."""
        return bytes(memoryview(self._file(path, fh).content)[offset : offset + size])

    @_powered
    def write(self, path: str, data: bytes, offset: int, fh: int) -> int:
        """Change a part of a file."""
        file, synced = self._open[fh] if fh in self._open else (self.disk.file(path), False)
        file.change(Change(offset, data))
        if synced:
            self.disk.sync(file)
        return len(data)

    @_powered
    def truncate(self, path: str, length: int, fh: int | None = None) -> int:
        """Change a file's length."""
        file = self._file(path, fh)
        if length != file.size:
            file.change(Change(length))
        return 0

    @_powered
    def fsync(self, path: str, datasync: int, fh: int) -> int:  # noqa: ARG002
        """Make a file's content safe."""
        self.disk.sync(self._file(path, fh))
        return 0

    @_powered
    def fsyncdir(self, path: str, datasync: int, fh: int) -> int:  # noqa: ARG002
        """Make a folder's names safe."""
        self.disk.sync(as_folder(self.disk.find(path)))
        return 0

    @_powered
    def unlink(self, path: str) -> int:
        """Remove a file's name."""
        self.disk.file(path)
        self.disk.remove(path)
        return 0

    @_powered
    def rmdir(self, path: str) -> int:
        """Remove an empty folder."""
        as_folder(self.disk.find(path))
        self.disk.remove(path)
        return 0

    @_powered
    def rename(self, old: str, new: str) -> int:
        """Give a node another name."""
        self.disk.rename(old, new)
        return 0

    @_powered
    def chmod(self, path: str, mode: int) -> int:
        """Set the access rights."""
        self.disk.find(path).attributes.mode = mode & 0o7777
        return 0

    @_powered
    def chown(self, path: str, uid: int, gid: int) -> int:
        """Set the owner."""
        attributes = self.disk.find(path).attributes
        attributes.uid, attributes.gid = (attributes.uid, uid)[uid < 2**31], (attributes.gid, gid)[gid < 2**31]
        return 0

    @_powered
    def utimens(self, path: str, times: tuple[int, int] | None = None) -> int:
        """Set the times."""
        attributes = self.disk.find(path).attributes
        attributes.accessed_ns, attributes.modified_ns = times or (time.time_ns(), time.time_ns())
        return 0

    def release(self, path: str, fh: int) -> int:  # noqa: ARG002
        """Close a file; without power too."""
        with self._guard:
            self._open.pop(fh, None)
        return 0

    def _opened(self, file: File, flags: int) -> int:
        self._handles += 1
        self._open[self._handles] = file, bool(flags & (os.O_SYNC | os.O_DSYNC))
        return self._handles

    def _node(self, path: str, fh: int | None) -> Node:
        return self._open[fh][0] if fh in self._open else self.disk.find(path)

    def _file(self, path: str, fh: int | None) -> File:
        return self._open[fh][0] if fh in self._open else self.disk.file(path)


def _attributes(mode: int) -> Attributes:
    uid, gid, _ = mfusepy.fuse_get_context()
    return Attributes(mode & 0o7777, uid, gid)


class Server:
    """Mounts the file system, and does what its input says."""

    def __init__(self, folder: Path, names: Names) -> None:
        self._folder = folder
        self._operations = Operations(Disk(names))
        self._on: queue.Queue[bool] = queue.Queue()
        self._left = threading.Event()

    def run(self) -> None:
        """Serve until the input ends."""
        threading.Thread(target=self._commands, daemon=True).start()
        options = {"foreground": True, "nothreads": True, "hard_remove": True, "fsname": "power"}
        while True:
            with suppress(RuntimeError):  # it was ended by `_unmount`
                mfusepy.FUSE(self._operations, str(self._folder), **options)
            self._left.set()
            if not self._on.get():
                return

    def _commands(self) -> None:
        self._operations.mounted.wait()
        echo("mounted")
        for line in sys.stdin:
            match line.split():
                case ["cut", seed]:
                    self._operations.lose_power(int(seed))
                    echo("cut")
                case ["on"]:
                    self._mount_again()
                    echo("mounted")
                case ["counts"]:
                    echo(" ".join(f"{name}={count}" for name, count in self._operations.counts.items()))
        self._on.put(False)
        self._unmount()

    def _mount_again(self) -> None:
        """Unmount and mount it, so that the kernel's cache is empty."""
        self._unmount()
        self._left.clear()
        self._operations.restore()
        self._operations.mounted.clear()
        self._on.put(True)
        self._operations.mounted.wait()

    def _unmount(self) -> None:
        """Unmount, when nobody has a file open any more; after a time in any case.

        Where another mount namespace has a copy of the mount (a container that has started since), the system does not
        end it. A signal does: libfuse has a handler for it.
        """
        end_s = time.monotonic() + UNMOUNT_S
        lazily: list[str] = []
        while subprocess.run(
            ["fusermount3", "-u", *lazily, str(self._folder)], check=False, capture_output=True
        ).returncode:
            lazily = ["-z"] if time.monotonic() > end_s else []
            time.sleep(0.02)
        while not self._left.wait(LEAVE_S):
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        Server(Path(sys.argv[1]), Names(sys.argv[2])).run()
