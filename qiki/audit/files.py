"""The audit log's files: `audit-000001.jsonl` and so on, oldest first."""

import fcntl
import os
import re
from collections.abc import Iterator
from pathlib import Path

LOCK = "audit.lock"
PUBLIC_KEYS = "audit.pub"
TORN_SUFFIX = ".torn"
_NAME = re.compile(r"audit-(\d{6,})\.jsonl")


def file_name(number: int) -> str:
    """Return the name of the n-th file, counted from 1."""
    return f"audit-{number:06d}.jsonl"


def file_number(path: Path) -> int:
    """Return the number of a file; 0 for a file of another name."""
    match = _NAME.fullmatch(path.name)
    return int(match[1]) if match else 0


def audit_files(folder: Path) -> list[Path]:
    """Return the files of a folder, oldest first; none if there is no folder."""
    if not folder.is_dir():
        return []
    return sorted((path for path in folder.iterdir() if file_number(path)), key=file_number)


def read_lines(path: Path) -> Iterator[bytes]:
    """Yield the lines with their line feeds; a torn last line has none."""
    with path.open("rb") as file:
        yield from file


def lines_backward(path: Path) -> Iterator[bytes]:
    """Yield the lines, newest first."""
    yield from reversed(path.read_bytes().splitlines(keepends=True))


def take_lock(folder: Path) -> int:
    """Lock a folder for writing, and return a descriptor; raise OSError if it is locked or cannot be written."""
    descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise OSError(error.errno, "another registrar writes there", str(folder)) from None
    return descriptor


def has_writer(folder: Path) -> bool:
    """Return whether a process writes to the folder, so that the last line may be incomplete."""
    try:
        descriptor = os.open(folder / LOCK, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
