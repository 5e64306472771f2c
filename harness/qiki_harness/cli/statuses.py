"""The statuses of a stack's services for one who looks again and again."""

from pathlib import Path

from qiki_harness.errors import StackError
from qiki_harness.stack import ServiceStatus, Stack


class Statuses:
    """Reads a stack's file only when it was written since."""

    def __init__(self, stack: Stack | None) -> None:
        self._stack = stack
        self._written: tuple[int, int] | None = None
        self._statuses: list[ServiceStatus] = []

    def read(self) -> list[ServiceStatus]:
        """Return the statuses; none where no stack runs."""
        try:
            if not self._stack or not self._stack.alive:
                return []
            written = _written(self._stack.folder.info_file)
            if written != self._written:
                self._statuses = list(self._stack.info.services.values())
                self._written = written
        except (OSError, StackError):
            return []
        return self._statuses


def _written(file: Path) -> tuple[int, int]:
    """Return what is different after each writing: the file is replaced as a whole."""
    state = file.stat()
    return state.st_ino, state.st_mtime_ns
