"""Crash loops: services of a recorded stack that are started again and again."""

from collections import defaultdict, deque
from collections.abc import Iterator, Mapping

from qiki_harness.stack.model import ServiceStatus

RESTARTS = 3
WITHIN_S = 60.0


class CrashLoops:
    """Finds the services of a stack that were restarted `RESTARTS` times `WITHIN_S`; each is found once."""

    def __init__(self) -> None:
        self._restarted: dict[str, deque[float]] = defaultdict(lambda: deque(maxlen=RESTARTS))
        self._counts: dict[str, int] = {}
        self._found: set[str] = set()

    def look(self, services: Mapping[str, ServiceStatus], now_s: float) -> Iterator[str]:
        """Yield a sentence about each that is found now; `now_s` is monotonic time."""
        for name, status in services.items():
            times = self._restarted[name]
            times.extend([now_s] * min(status.restarts - self._counts.get(name, status.restarts), RESTARTS))
            self._counts[name] = status.restarts
            if len(times) == RESTARTS and now_s - times[0] <= WITHIN_S and name not in self._found:
                self._found.add(name)
                took_s = now_s - times[0]
                yield f"{name} was restarted {RESTARTS} times in {took_s:.0f} s (exit code {status.exit_code})"
