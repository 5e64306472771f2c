"""When a stack is up and when its start has failed."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from qiki_harness.compose import Project
from qiki_harness.stack.board import is_up, start_failure
from qiki_harness.stack.status import ServiceHealth, ServiceStatus, State

Fill = Callable[..., Project]


TEXT = """
services:
  db: {command: x, healthcheck: {test: x}}
  init: {command: x, depends_on: {db: {condition: service_healthy}}}
  web: {command: x, depends_on: {init: {condition: service_completed_successfully}}}
"""
DB = ServiceStatus("db", "log", state=State.RUNNING, health=ServiceHealth.HEALTHY)
INIT = ServiceStatus("init", "log", one_shot=True, state=State.EXITED, exit_code=0)
WEB = ServiceStatus("web", "log", state=State.RUNNING)


def up(project: Fill, *changed: ServiceStatus) -> bool:
    statuses = {status.name: status for status in (DB, INIT, WEB, *changed)}
    return is_up(project(TEXT), statuses)


def test_up_is_when_all_are_ready(project: Fill):
    assert up(project)


@pytest.mark.parametrize(
    "status",
    [
        replace(DB, health=ServiceHealth.STARTING),
        replace(DB, health=ServiceHealth.UNHEALTHY),
        replace(INIT, state=State.RUNNING, exit_code=None),
        replace(INIT, exit_code=1),
        replace(WEB, state=State.WAITING),
        replace(WEB, state=State.RESTARTING),
        replace(WEB, state=State.STOPPED),
    ],
)
def test_one_that_is_not_ready_keeps_it_from_being_up(project: Fill, status: ServiceStatus):
    assert not up(project, status)


def test_who_waits_for_the_users_own_service_holds_nothing_up(project: Fill):
    external = replace(DB, state=State.EXTERNAL, health=ServiceHealth.STARTING)
    waiting = (replace(INIT, state=State.WAITING, exit_code=None), replace(WEB, state=State.WAITING))
    assert up(project, external, *waiting)


def test_once_the_users_own_service_is_there_the_rest_counts_again(project: Fill):
    external = replace(DB, state=State.EXTERNAL, health=ServiceHealth.HEALTHY)
    assert not up(project, external, replace(WEB, state=State.WAITING))


DEAD = ServiceStatus("a", "a.log", state=State.EXITED)
SICK = ServiceStatus("a", "a.log", state=State.RUNNING, health=ServiceHealth.UNHEALTHY, detail="refused")


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (replace(DEAD, exit_code=3), ("a died at start (exit code 3); its log: a.log", 3)),
        (replace(DEAD, exit_code=137, one_shot=True), ("a died at start (exit code 137); its log: a.log", 137)),
        # One with a health check was to stay: its end is a failure whatever its exit code.
        (replace(DEAD, exit_code=0, checked=True), ("a died at start (exit code 0); its log: a.log", 1)),
        (SICK, ("a does not become healthy: refused; its log: a.log", 1)),
        (replace(DEAD, exit_code=0), None),
        (replace(DEAD, exit_code=0, one_shot=True, checked=True), None),
        (replace(SICK, health=ServiceHealth.STARTING), None),
        # It worked once: from then on its restart policy decides.
        (replace(DEAD, exit_code=1, ready_after_s=0.1), None),
        (replace(SICK, ready_after_s=0.1), None),
    ],
)
def test_start_failures(status: ServiceStatus, expected: tuple[str, int] | None):
    assert start_failure(status) == expected
