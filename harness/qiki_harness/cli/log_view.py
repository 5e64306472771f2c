"""The services' log lines on the terminal."""

import sys
import time
from collections.abc import Sequence

from qiki_harness.cli.output import prefixes
from qiki_harness.stack import Stack
from qiki_harness.stack.logs import LogFollower

_POLL_S = 0.05


class LogView:
    """Prints the lines of several logs of a stack: the last ones, and those that are written from now on."""

    def __init__(self, stack: Stack, sources: Sequence[str]) -> None:
        self._stack = stack
        self._prefixes = prefixes(sources)
        self._follower = LogFollower(stack.folder.log(source) for source in sources)

    def show_last(self, lines: int) -> None:
        """Print the last lines of each log."""
        for source in self._prefixes:
            for line in self._stack.logs(source, lines):
                self._show(source, line)

    def follow(self) -> None:
        """Print new lines until the stack ends."""
        alive = True
        while alive:
            alive = self._stack.alive  # before the lines: the last ones are shown too
            for source, line in self._follower.new_lines():
                self._show(source, line)
            sys.stdout.flush()
            time.sleep(_POLL_S)

    def _show(self, source: str, line: str) -> None:
        print(f"{self._prefixes[source]} {line}")
