"""The board: conditions between services, the wait for them, the verdict on a start."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from qiki_harness.compose import Dependency, Project, StartCondition
from qiki_harness.stack.board import Board, is_up, start_failure
from qiki_harness.stack.model import ServiceHealth, ServiceStatus, State

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


def board(*statuses: ServiceStatus) -> Board:
    return Board(statuses, lambda: None)


@pytest.mark.parametrize(
    ("status", "holding"),
    [
        (ServiceStatus("a", "", state=State.WAITING), set()),
        (ServiceStatus("a", "", state=State.RUNNING), {StartCondition.STARTED}),
        (ServiceStatus("a", "", state=State.RUNNING, health=ServiceHealth.STARTING), {StartCondition.STARTED}),
        (ServiceStatus("a", "", state=State.RUNNING, health=ServiceHealth.UNHEALTHY), {StartCondition.STARTED}),
        (
            ServiceStatus("a", "", state=State.RUNNING, health=ServiceHealth.HEALTHY),
            {StartCondition.STARTED, StartCondition.HEALTHY},
        ),
        (ServiceStatus("a", "", state=State.RESTARTING, health=ServiceHealth.HEALTHY), set()),
        (ServiceStatus("a", "", state=State.EXITED, exit_code=0), {StartCondition.STARTED, StartCondition.COMPLETED}),
        (ServiceStatus("a", "", state=State.EXITED, exit_code=1), {StartCondition.STARTED}),
        (ServiceStatus("a", "", state=State.STOPPED, exit_code=0), set()),
        (ServiceStatus("a", "", state=State.EXTERNAL, health=ServiceHealth.STARTING), set()),
        (ServiceStatus("a", "", state=State.EXTERNAL, health=ServiceHealth.HEALTHY), set(StartCondition)),
        (ServiceStatus("a", "", state=State.EXTERNAL), set(StartCondition)),
    ],
)
def test_conditions(status: ServiceStatus, holding: set[StartCondition]):
    async def holds() -> set[StartCondition]:
        return {condition for condition in StartCondition if board(status).holds(Dependency("a", condition))}

    assert asyncio.run(holds()) == holding


def test_a_change_wakes_who_waits_and_tells_the_listener():
    async def scene() -> int:
        told = []
        shared = Board([ServiceStatus("a", "")], lambda: told.append(1))
        waiting = asyncio.create_task(shared.until(lambda: shared["a"].pid == 7))
        await asyncio.sleep(0)
        shared.update("a", pid=6)
        shared.update("a", pid=6)
        await asyncio.sleep(0)
        assert not waiting.done()
        shared.update("a", pid=7)
        await asyncio.wait_for(waiting, 5)
        return len(told)

    assert asyncio.run(scene()) == 2


def test_only_the_first_time_of_being_ready_is_noted():
    async def scene() -> tuple[float | None, float | None]:
        shared = board(ServiceStatus("a", ""))
        shared.update("a", state=State.RUNNING)
        first = shared["a"].ready_after_s
        shared.update("a", state=State.RESTARTING)
        shared.update("a", state=State.RUNNING)
        return first, shared["a"].ready_after_s

    first, second = asyncio.run(scene())
    assert first is not None
    assert second == first


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
