"""The board: the status of every service, and what it says of a start."""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from qiki_harness.compose import Dependency, Project, StartCondition
from qiki_harness.stack.model import ServiceHealth, ServiceStatus, State


class Board:
    """Statuses by service. Each change wakes the waiting tasks and calls the listener."""

    def __init__(self, statuses: Iterable[ServiceStatus], listener: Callable[[], None]) -> None:
        self.statuses = {status.name: status for status in statuses}
        self._listener = listener
        self._changed = asyncio.Event()
        self._born = time.monotonic()

    def __getitem__(self, service: str) -> ServiceStatus:
        return self.statuses[service]

    @property
    def age_s(self) -> float:
        """Time since the start of the stack [s]."""
        return time.monotonic() - self._born

    def update(self, service: str, **changes: Any) -> None:
        """Change the status of a service, and note when it is ready for the first time."""
        before = self.statuses[service]
        after = replace(before, **changes)
        if after.ready and after.ready_after_s is None:
            after = replace(after, ready_after_s=self.age_s)
        if after != before:
            self.statuses[service] = after
            self.wake()

    def wake(self) -> None:
        """Wake the waiting tasks."""
        self._listener()
        self._changed.set()
        self._changed = asyncio.Event()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for a condition on the statuses."""
        while not condition():
            await self._changed.wait()

    def holds(self, dependency: Dependency) -> bool:
        """Return whether a dependency's condition is true."""
        status = self.statuses[dependency.service]
        if status.state is State.EXTERNAL:
            # What the user runs himself shows in its health check only; where there is none it is taken as given.
            return status.health in {ServiceHealth.HEALTHY, ServiceHealth.NONE}
        match dependency.condition:
            case StartCondition.STARTED:
                return status.state in {State.RUNNING, State.EXITED}
            case StartCondition.HEALTHY:
                return status.state is State.RUNNING and status.health is ServiceHealth.HEALTHY
            case StartCondition.COMPLETED:
                return status.state is State.EXITED and status.exit_code == 0


def is_up(project: Project, statuses: Mapping[str, ServiceStatus]) -> bool:
    """Return whether all services are ready that can be before the user starts his own."""
    waits_for_user = set[str]()
    for service in project.services.values():
        status = statuses[service.name]
        if status.state is State.EXTERNAL:
            if status.health is ServiceHealth.STARTING:
                waits_for_user.add(service.name)
        elif any(dependency.service in waits_for_user for dependency in service.dependencies):
            waits_for_user.add(service.name)
        elif not status.ready:
            return False
    return True


def start_failure(status: ServiceStatus) -> tuple[str, int] | None:
    """Return why a start has failed, and the exit status; None while it may succeed.

    A service that dies before it was ever ready would only die again: restart policies are for services that once
    worked.
    """
    if status.ready or status.ready_after_s is not None:
        return None
    if status.state is State.EXITED:
        why = f"{status.name} died at start (exit code {status.exit_code}); its log: {status.log}"
        return why, status.exit_code or 1
    if status.health is ServiceHealth.UNHEALTHY and status.state is State.RUNNING:
        return f"{status.name} does not become healthy: {status.detail}; its log: {status.log}", 1
    return None
