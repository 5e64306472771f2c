"""The start of a stack: up, or failed."""

from collections.abc import Mapping

from qiki_harness.compose import Project
from qiki_harness.stack.status import ServiceHealth, ServiceStatus, State


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
