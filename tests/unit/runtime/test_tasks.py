"""Errors of tasks, which nobody may lose."""

import asyncio
import subprocess
import sys

import pytest

from qiki.runtime import tasks
from qiki.runtime.tasks import TaskGroup, background

DEAF = """
import asyncio
from qiki.runtime import tasks

tasks.END_S = 0.1

async def fails():
    raise KeyError("of ours")

async def ignores():
    while True:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            print("goes on", flush=True)

async def main():
    async with tasks.TaskGroup() as group:
        group.create_task(ignores())
        await asyncio.sleep(0)
        group.create_task(fails())

asyncio.run(main())
"""


async def fails() -> None:
    raise KeyError("of ours")


def test_a_group_whose_task_ignores_its_cancellation_ends_the_process_with_the_error_of_the_other():
    done = subprocess.run([sys.executable, "-c", DEAF], check=False, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (1, "goes on\n")
    assert "KeyError: 'of ours'" in done.stderr
    assert done.stderr.endswith("other tasks go on 0.1 s after one has failed\n")


def test_a_group_that_ends_in_time_raises_and_ends_nothing_more(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("qiki.runtime.tasks.END_S", 0.0)

    async def group_of_two() -> None:
        async with TaskGroup() as group:
            group.create_task(fails())
            await asyncio.Event().wait()

    async def scenario() -> str:
        with pytest.raises(ExceptionGroup):
            await group_of_two()
        due = asyncio.Event()
        asyncio.get_running_loop().call_later(tasks.END_S, due.set)  # after the group's own timer, which is as long
        await due.wait()
        return "still here"

    assert asyncio.run(scenario()) == "still here"


def test_a_failure_in_the_background_ends_the_body():
    async def scenario() -> None:
        async with background(fails()):
            await asyncio.Event().wait()

    with pytest.raises(ExceptionGroup) as caught:
        asyncio.run(asyncio.wait_for(scenario(), 30))
    assert isinstance(caught.value.exceptions[0], KeyError)


def test_an_error_of_the_body_leaves_as_it_is_and_ends_the_background():
    async def scenario() -> None:
        async with background(asyncio.Event().wait()) as task:
            begun.append(task)
            raise LookupError("of the body")

    begun: list[asyncio.Task[bool]] = []
    with pytest.raises(LookupError, match="of the body"):
        asyncio.run(scenario())
    assert begun[0].cancelled()
