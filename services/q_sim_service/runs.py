"""Ids of runs: repeatable if the first is given, random otherwise.

A simulator that restarts with the streams of earlier runs must not reuse their ids, or its frames would be taken for
duplicates. So the given id is that of the first run only; the ids derived from it are counted in a file. A file that is
lost or unreadable cannot say which were used: from then on a random salt, kept in its place, makes all of them new.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4, uuid5

import structlog

from qiki.errors import UserError
from qiki.files import make_folder, write_atomically

SALT = "salt"
log = structlog.get_logger()


class RunCounter:
    """Number of ids derived from each given one, kept across restarts in a file of `folder`, if there is one.

    A mark beside the file tells a folder that lost it from one that never had it.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._counts: dict[str, int] = {}
        self._salt = ""
        if folder is not None:
            self._read(folder / "runs.json", folder / "runs.mark")

    def take(self, first: UUID) -> UUID:
        """Return the next id: `first`, then UUIDv5 of it and 1, 2, ...; with a salt, of it, the salt and 0, 1, ...

        It is counted on the disk before this returns. UserError if it cannot be.
        """
        number = self._counts.get(str(first), 0)
        counts = self._counts | {str(first): number + 1}
        if self._folder is not None:
            self._write(self._folder, counts)
        self._counts = counts
        if self._salt:
            return uuid5(first, f"{self._salt}:{number}")
        return uuid5(first, str(number)) if number else first

    def _write(self, folder: Path, counts: dict[str, int]) -> None:
        content: dict[str, int | str] = {SALT: self._salt} if self._salt else {}
        try:
            make_folder(folder)
            write_atomically(folder / "runs.json", json.dumps(content | counts).encode())
            if not (folder / "runs.mark").exists():
                write_atomically(folder / "runs.mark", b"runs.json was here\n")
        except OSError as error:
            raise UserError(f"QIKI_STATE_DIR: cannot write {folder / 'runs.json'}: {error.strerror}") from None

    def _read(self, path: Path, mark: Path) -> None:
        try:
            content = json.loads(path.read_bytes())
            self._counts = {str(UUID(first)): _count(number) for first, number in content.items() if first != SALT}
            self._salt = str(content.get(SALT, ""))
        except (FileNotFoundError, NotADirectoryError):
            if mark.exists():
                self._forget(path, "it was deleted or lost")
        except (OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
            self._forget(path, f"{type(error).__name__}: {error}")

    def _forget(self, path: Path, reason: str) -> None:
        self._counts, self._salt = {}, uuid4().hex
        log.error("count of runs unreadable, run ids are derived from a new salt", path=str(path), reason=reason)


def _count(number: object) -> int:
    if not isinstance(number, int) or isinstance(number, bool) or number < 0:
        raise TypeError(f"{number!r} is no count")
    return number


def warn_if_derived(given: UUID | None, run_id: UUID) -> None:
    """Log a warning if a run has another id than the given one."""
    if given not in {None, run_id}:
        log.warning(
            "run id is derived: the given one was used before",
            given=str(given),
            run_id=str(run_id),
            hint="with a fresh QIKI_STATE_DIR (qiki up --run-dir) the given one is taken",
        )


def run_ids(first: UUID | None, counter: RunCounter | None = None) -> Iterator[UUID]:
    """Return the run ids of one process: those that `counter` derives from `first`, without `first` random ones.

    The iterator raises the errors of `counter`, and can be used after one.
    """
    counter = counter or RunCounter()
    return iter(lambda: uuid4() if first is None else counter.take(first), None)
