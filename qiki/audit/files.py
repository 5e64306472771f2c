"""The audit log's files: `audit-000001.jsonl` and so on, oldest first."""

import fcntl
import os
import re
from collections.abc import Iterator
from pathlib import Path

LOCK = "audit.lock"
TORN_SUFFIX = ".torn"
_NAME = re.compile(r"audit-(\d{6,})\.jsonl")


def file_name(number: int) -> str:
    """Of the n-th file, counted from 1."""
    return f"audit-{number:06d}.jsonl"


def file_number(path: Path) -> int:
    """Which one it is."""
    match = _NAME.fullmatch(path.name)
    return int(match[1]) if match else 0


def audit_files(folder: Path) -> list[Path]:
    """The files of a folder, oldest first; none where there is no folder."""
    if not folder.is_dir():
        return []
    return sorted((path for path in folder.iterdir() if file_number(path)), key=file_number)


def read_lines(path: Path) -> Iterator[bytes]:
    """Its lines with their line feeds; a torn last one has none."""
    with path.open("rb") as file:
        yield from file


def lines_backward(path: Path) -> Iterator[bytes]:
    """Its lines, newest first."""
    yield from reversed(path.read_bytes().splitlines(keepends=True))


def take_lock(folder: Path) -> int:
    """Become the only writer of a folder; a descriptor to be held.

    Raises:
        OSError: the folder cannot be written, or another process writes there.
    """
    descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise OSError(error.errno, "another registrar writes there", str(folder)) from None
    return descriptor


def has_writer(folder: Path) -> bool:
    """Whether somebody writes there now, so that the last line may not be whole yet."""
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
