"""The board: conditions between services, and the wait for them."""

import asyncio

import pytest

from qiki_harness.compose import Dependency, StartCondition
from qiki_harness.stack.board import Board
from qiki_harness.stack.status import ServiceHealth, ServiceStatus, State


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
