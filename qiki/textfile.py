"""Files that somebody wrote, read within bounds; a file that cannot be used gives one error with its place."""

import os
import stat
from pathlib import Path

from qiki.errors import UserError

MAX_BYTES = 2**20
_LONGEST = 300  # characters of a reason, or of a field's name: what is wrong may be as long as the file


class FileError(UserError):
    """An invalid file: its line from 1, None if it cannot be read; the field's dotted path, "" for the whole file."""

    def __init__(self, path: Path, line: int | None, field: str, reason: str) -> None:
        place = f"{path}" if line is None else f"{path}:{line}"
        super().__init__(f"{place}: {shortened(field) + ': ' if field else ''}{shortened(' '.join(reason.split()))}")
        self.path, self.line, self.field = path, line, field


def shortened(text: str) -> str:
    """Return a text, or the beginning and the end of a long one."""
    half = _LONGEST // 2
    return text if len(text) <= _LONGEST else f"{text[:half]} … {text[-half:]}"


def read_text(path: Path) -> str:
    """Return the text of a file; a FileError says that it is none, or longer than 1 MiB."""
    try:
        content = _read(path)
    except OSError as error:
        raise FileError(path, None, "", f"cannot be read: {error.strerror}") from None
    except ValueError:  # a zero in its name
        raise FileError(path, None, "", "cannot be read: no file has such a name") from None
    if len(content) > MAX_BYTES:
        raise FileError(path, None, "", f"is longer than {MAX_BYTES >> 20} MiB")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise FileError(path, line, "", "is not UTF-8 text") from None


def _read(path: Path) -> bytes:
    """Read no more than says that a file is too long; a pipe or a device is not waited for."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(kind := os.fstat(descriptor).st_mode):
            raise FileError(path, None, "", "is a folder" if stat.S_ISDIR(kind) else "is no regular file")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read(MAX_BYTES + 1)
    finally:
        os.close(descriptor)
