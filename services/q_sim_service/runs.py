"""Identities of runs: fixed and repeatable where the first is given, random otherwise.

A given identity is the first run's alone. A simulator that begins again beside what earlier runs have stored must not
take theirs, or its frames would pass for theirs: it counts in a file how many it has given, and goes on behind them.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4, uuid5

import structlog

from qiki.errors import UserError

log = structlog.get_logger()


class RunCounter:
    """How many identities were derived from each given one, over the lives of the simulator.

    Args:
        folder: where it is kept; None: for this life only
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._path = None if folder is None else folder / "runs.json"
        self._counts = self._read()

    def take(self, first: UUID) -> int:
        """The next number, from 0; it is on disk before anybody uses it.

        Raises:
            UserError: it cannot be kept.
        """
        number = self._counts.get(str(first), 0)
        counts = self._counts | {str(first): number + 1}
        if self._path is not None:
            part = self._path.with_suffix(".part")
            try:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                part.write_text(json.dumps(counts))
                part.replace(self._path)
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
            raise UserError(f"QIKI_STATE_DIR: {self._path} is no count of runs: delete it") from None


def tell_if_derived(given: UUID | None, run_id: UUID) -> None:
    """Say that a run does not bear the identity that was given for it."""
    if given not in {None, run_id}:
        log.warning(
            "run id is derived: the given one was used before",
            given=str(given),
            run_id=str(run_id),
            hint="with a fresh QIKI_STATE_DIR (qiki up --run-dir) the given one is taken",
        )


def run_ids(first: UUID | None, counter: RunCounter | None = None) -> Iterator[UUID]:
    """The run ids of one process: `first`, then UUIDv5 of it and 1, 2, ...; without `first` all random.

    The iterator raises what `counter` raises, and can be asked again after that.
    """
    counter = counter or RunCounter()

    def next_id() -> UUID:
        if first is None:
            return uuid4()
        number = counter.take(first)
        return uuid5(first, str(number)) if number else first

    return iter(next_id, None)
