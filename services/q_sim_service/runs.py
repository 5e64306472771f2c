"""Ids of runs: repeatable if the first is given, random otherwise.

A simulator that restarts with the streams of earlier runs must not reuse their ids, or its frames would be taken for
duplicates. So the given id is that of the first run only; the ids derived from it are counted in a file.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4, uuid5

import structlog

from qiki.errors import UserError
from qiki.runtime.files import write_atomically

log = structlog.get_logger()


class RunCounter:
    """Number of ids derived from each given one, kept across restarts in a file of `folder`, if there is one."""

    def __init__(self, folder: Path | None = None) -> None:
        self._path = None if folder is None else folder / "runs.json"
        self._counts = self._read()

    def take(self, first: UUID) -> int:
        """Return the next number, from 0; it is on the disk before this returns. UserError if it cannot be written."""
        number = self._counts.get(str(first), 0)
        counts = self._counts | {str(first): number + 1}
        if self._path is not None:
            try:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                write_atomically(self._path, json.dumps(counts).encode())
            except OSError as error:
                raise UserError(f"QIKI_STATE_DIR: cannot write {self._path}: {error.strerror}") from None
        self._counts = counts
        return number

    def _read(self) -> dict[str, int]:
        try:
            text = self._path.read_text() if self._path else "{}"
            return {str(UUID(first)): int(count) for first, count in json.loads(text).items()}
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise UserError(f"QIKI_STATE_DIR: cannot read {self._path}: {error.strerror}") from None
        except (ValueError, TypeError, AttributeError):
            raise UserError(f"QIKI_STATE_DIR: {self._path} is no count of runs (delete it)") from None


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
    """Return the run ids of one process: `first`, then UUIDv5 of it and 1, 2, ...; without `first` random ones.

    The iterator raises the errors of `counter`, and can be used after one.
    """
    counter = counter or RunCounter()

    def next_id() -> UUID:
        if first is None:
            return uuid4()
        number = counter.take(first)
        return uuid5(first, str(number)) if number else first

    return iter(next_id, None)
