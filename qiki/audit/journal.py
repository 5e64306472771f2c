"""The audit log's writer: appends to the newest file of a folder, begins new files, repairs a torn end."""

import contextlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from qiki.audit.files import (
    TORN_SUFFIX,
    audit_files,
    file_name,
    file_number,
    lines_backward,
    read_lines,
    take_lock,
)
from qiki.audit.heads import HeadSigner
from qiki.audit.record import START, DamagedLineError, Draft, Entry, Head, seal, unseal
from qiki.clock import parse_rfc3339
from qiki.contracts.events import AUDIT_SIGNED, EventKind
from qiki.files import make_folder, sync_folder


@dataclass(frozen=True, slots=True)
class FileLimits:
    """Size and age at which a new file begins, and the number of files to keep (0: all)."""

    max_bytes: int
    max_age_s: float
    keep_files: int = 0


@dataclass(frozen=True, slots=True)
class Torn:
    """Part of a line that a crash left: kept beside the file until its repair is recorded."""

    remains: Path
    file: str  # name of the file it stood in
    size: int  # number of bytes
    event_id: str  # the same after another crash


class Journal:
    """The files of one folder and the end of their chain. All methods block; errors are the system's (OSError).

    With a `signer`, heads are signed in time. What `append` returns is on the disk. If it raises, nothing of
    the call is kept: a partial line is removed before the next write.
    """

    def __init__(self, folder: Path, limits: FileLimits) -> None:
        self.folder = folder
        self.head = START
        self.signer: HeadSigner | None = None
        self._limits = limits
        self._lock = self._file = -1
        self._number = 0
        self._began: datetime | None = None
        self._keep_bytes: int | None = None

    def open(self) -> list[Torn]:
        """Lock the folder, find the end of the chain, and return the torn lines whose repair is not recorded yet."""
        make_folder(self.folder)
        if self._lock < 0:
            self._lock = take_lock(self.folder)
        files = audit_files(self.folder)
        if files:
            _repair(files[-1])
            self._resume(files[-1])
        self.head = last_head(files)
        torn = []
        for remains in sorted(self.folder.glob(f"*{TORN_SUFFIX}")):
            name, found = remains.name.removesuffix(TORN_SUFFIX), remains.stat()
            torn.append(Torn(remains, name, found.st_size, f"audit-repaired:{name}:{found.st_mtime_ns}"))
        return torn

    def close(self) -> None:
        """Close the file and unlock the folder."""
        for descriptor in (self._file, self._lock):
            if descriptor >= 0:
                os.close(descriptor)
        self._file = self._lock = -1

    def append(self, drafts: Sequence[Draft], moment: datetime) -> list[Entry]:
        """Write drafts at wall time `moment`, as many as fit into the newest file; flush to the disk.

        With a signer also records of signed heads, where they are due and where a file begins; then perhaps those only.
        """
        first = seal(drafts[0], self.head, moment)
        batch = _Batch(self.head, self._room_for(first, moment), self._limits.max_bytes, moment)
        if self.signer and self.signer.unsigned and not batch.size:  # a new file: the signed end of the one before
            batch.add(self.signer.draft(batch.head, moment))
        else:
            batch.put(first)
            drafts = drafts[1:]
        for draft in drafts:
            if not batch.add(draft):
                break
        if self.signer and self.signer.due(moment, len(batch.entries)):
            batch.add(self.signer.draft(batch.head, moment))
        return self._commit(batch)

    def sign(self, moment: datetime, kind: EventKind = AUDIT_SIGNED, **fields: Any) -> list[Entry]:
        """Write the signed head; `fields` are those of the kind's payload. It needs a signer."""
        assert self.signer is not None
        size = self._room_for(seal(self.signer.draft(self.head, moment, kind, **fields), self.head, moment), moment)
        batch = _Batch(self.head, size, self._limits.max_bytes, moment)
        batch.add(self.signer.draft(batch.head, moment, kind, **fields))
        return self._commit(batch)

    def surplus(self) -> tuple[list[Path], Head]:
        """Return the oldest files, beyond the number to keep, and how far they reach."""
        keep = self._limits.keep_files
        files = audit_files(self.folder)[:-keep] if keep else []
        return files, last_head(files)

    def _commit(self, batch: "_Batch") -> list[Entry]:
        self._write(b"".join(entry.line for entry in batch.entries))
        self.head = batch.head
        self._began = self._began or batch.moment
        if self.signer:
            self.signer.wrote(batch.entries, batch.moment)
        return batch.entries

    def _room_for(self, entry: Entry, moment: datetime) -> int:
        """Begin a new file if an entry does not fit into the newest one, and return the newest one's size."""
        size = self._whole_size()
        old = self._began is not None and moment - self._began >= timedelta(seconds=self._limits.max_age_s)
        if size is None or (size and (size + len(entry.line) > self._limits.max_bytes or old)):
            self._begin_file()
            return 0
        return size

    def _whole_size(self) -> int | None:
        """Remove what a failed write left of a line, and return the newest file's size; None if there is no file."""
        if self._file < 0 or not os.fstat(self._file).st_nlink:
            return None
        if self._keep_bytes is not None:
            os.ftruncate(self._file, self._keep_bytes)
            self._keep_bytes = None
        return os.fstat(self._file).st_size

    def _begin_file(self) -> None:
        make_folder(self.folder)
        path = self.folder / file_name(self._number + 1)
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)
        try:
            sync_folder(self.folder)
        except OSError:  # the next attempt needs the name
            os.close(descriptor)
            path.unlink()
            raise
        self._take(path, descriptor)

    def _resume(self, path: Path) -> None:
        """Go on in a file, once it is on the disk: a killed writer may not have synced what counts as registered."""
        self._take(path, os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC))
        os.fsync(self._file)
        sync_folder(self.folder)
        with contextlib.suppress(DamagedLineError, StopIteration, LookupError, ValueError):
            self._began = parse_rfc3339(unseal(next(read_lines(path))).fields["registered_at"])

    def _take(self, path: Path, descriptor: int) -> None:
        if self._file >= 0:
            os.close(self._file)
        self._file, self._number, self._began = descriptor, file_number(path), None

    def _write(self, content: bytes) -> None:
        size = os.fstat(self._file).st_size
        try:
            rest = memoryview(content)
            while rest:
                rest = rest[os.write(self._file, rest) :]
            os.fsync(self._file)
        except OSError:
            self._keep_bytes = size
            with contextlib.suppress(OSError):  # repeated before the next write
                self._whole_size()
            raise


@dataclass
class _Batch:
    """Records of one write."""

    head: Head  # the end of the chain after them
    size: int  # of the file with them
    max_bytes: int
    moment: datetime
    entries: list[Entry] = field(default_factory=list)

    def add(self, draft: Draft) -> bool:
        """Add a record if the file has room for it; the first one is always taken."""
        entry = seal(draft, self.head, self.moment)
        if self.entries and self.size + len(entry.line) > self.max_bytes:
            return False
        self.put(entry)
        return True

    def put(self, entry: Entry) -> None:
        """Add a record that follows the last one."""
        self.entries.append(entry)
        self.head, self.size = entry.head, self.size + len(entry.line)


def last_head(files: Sequence[Path]) -> Head:
    """Return the end of the chain: that of the newest line that is undamaged."""
    for path in reversed(files):
        for line in lines_backward(path):
            with contextlib.suppress(DamagedLineError):
                return unseal(line).head
    return START


def _repair(path: Path) -> None:
    """Move the bytes after the last whole line to a file beside; they survive a crash at any point.

    A power failure may leave zeros where a page was not written, and later pages of the same write behind them.
    """
    content = path.read_bytes()
    whole = content.partition(b"\0")[0].rfind(b"\n") + 1
    if whole == len(content):
        return
    remains = path.with_name(path.name + TORN_SUFFIX)
    with remains.open("wb") as file:
        file.write(content[whole:])
        file.flush()
        os.fsync(file.fileno())
    sync_folder(path.parent)
    with path.open("r+b") as file:
        file.truncate(whole)
        os.fsync(file.fileno())
