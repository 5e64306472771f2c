"""The holders of a stack: it runs until the last of them has left, or has died."""

from collections.abc import Callable

from qiki_harness.errors import StackError


class Holders:
    """The number of those that a tied stack runs for; its starter is the first."""

    def __init__(self, stop: Callable[[], None]) -> None:
        self._stop = stop
        self._count = 0
        self._over = False

    def join(self) -> None:
        """Count one more; StackError if the last one has left."""
        if self._over:
            raise StackError("the stack's last holder has left, it stops")
        self._count += 1

    def leave(self) -> int:
        """Count one less, and stop the stack after the last; return how many are left."""
        self._count -= 1
        if not self._count:
            self._over = True
            self._stop()
        return self._count
