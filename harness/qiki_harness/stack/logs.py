"""Reading the services' logs: their last lines, and their new ones as they come."""

from collections.abc import Iterable, Iterator
from pathlib import Path

_TAIL_BYTES = 65_536


def last_words(log: Path, lines: int = 20) -> tuple[str, ...]:
    """Return the last lines of a log that are not blank."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - _TAIL_BYTES))
            text = file.read().decode(errors="replace")
    except FileNotFoundError:
        return ()
    return tuple([line for line in text.splitlines() if line.strip()][-lines:]) if lines else ()


class LogFollower:
    """A reader of the lines that are added to several logs."""

    def __init__(self, logs: Iterable[Path]) -> None:
        self._places = {log: log.stat().st_size if log.exists() else 0 for log in logs}
        self._rests: dict[Path, bytes] = {}

    def new_lines(self) -> Iterator[tuple[str, str]]:
        """Yield the lines since the last call, as (source, line)."""
        for log in self._places:
            for line in self._new(log):
                yield log.stem, line.decode(errors="replace")

    def _new(self, log: Path) -> list[bytes]:
        if not log.exists():
            return []
        with log.open("rb") as file:
            # A log that is shorter than before has been replaced.
            file.seek(self._places[log] if log.stat().st_size >= self._places[log] else 0)
            text = self._rests.get(log, b"") + file.read()
            self._places[log] = file.tell()
        *lines, self._rests[log] = text.split(b"\n")
        return lines
