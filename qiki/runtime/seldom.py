"""Log lines at a bounded rate, for what a client can cause as often as he likes."""

import time
from collections.abc import Callable

import structlog

EVERY_S = 10.0
log = structlog.get_logger()


class SeldomLog:
    """Warns at once, then at most once in `EVERY_S`; a line says how many before it were left out."""

    def __init__(self, event: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._event = event
        self._clock = clock
        self._next_s = -EVERY_S
        self._left_out = 0

    def warn(self, **details: object) -> None:
        """Log, or count."""
        if self._clock() < self._next_s:
            self._left_out += 1
            return
        left_out, self._left_out = self._left_out, 0
        self._next_s = self._clock() + EVERY_S
        log.warning(self._event, left_out=left_out, **details)
