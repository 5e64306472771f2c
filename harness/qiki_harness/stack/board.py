"""The board: what is known of every service, and who waits for it to change."""

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from qiki_harness.compose import Dependency, StartCondition
from qiki_harness.stack.status import Health, ServiceStatus, State


class Board:
    """Statuses by service; each change wakes those who wait and tells the listener."""

    def __init__(self, statuses: Iterable[ServiceStatus], listener: Callable[[], None]) -> None:
        self.statuses = {status.name: status for status in statuses}
        self._listener = listener
        self._changed = asyncio.Event()
        self._born = time.monotonic()

    def __getitem__(self, service: str) -> ServiceStatus:
        return self.statuses[service]

    @property
    def age_s(self) -> float:
        """How long ago the stack's start was."""
        return time.monotonic() - self._born

    def update(self, service: str, **changes: Any) -> None:
        """Change what is known of a service; the first time that it is ready is noted."""
        before = self.statuses[service]
        after = replace(before, **changes)
        if after.ready and after.ready_after_s is None:
            after = replace(after, ready_after_s=self.age_s)
        if after != before:
            self.statuses[service] = after
            self.wake()

    def wake(self) -> None:
        """Let those who wait look again."""
        self._listener()
        self._changed.set()
        self._changed = asyncio.Event()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for a condition on the statuses."""
        while not condition():
            await self._changed.wait()

    def holds(self, dependency: Dependency) -> bool:
        """Whether a dependency's condition is true."""
        status = self.statuses[dependency.service]
        if status.state is State.EXTERNAL:
            # What the user runs himself shows in its health check only; where there is none it is taken as given.
            return status.health in {Health.HEALTHY, Health.NONE}
        match dependency.condition:
            case StartCondition.STARTED:
                return status.state in {State.RUNNING, State.EXITED}
            case StartCondition.HEALTHY:
                return status.state is State.RUNNING and status.health is Health.HEALTHY
            case StartCondition.COMPLETED:
                return status.state is State.EXITED and status.exit_code == 0
