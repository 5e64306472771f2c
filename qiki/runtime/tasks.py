"""Tasks whose errors and cancellations are never lost."""

import asyncio
import os
import sys
import traceback
from collections.abc import AsyncIterator, Coroutine, Generator
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from qiki.runtime.terminal import echo

T = TypeVar("T")
END_S = 5.0


def end_if_cancelled() -> None:
    """End a task that is cancelled: up to Python 3.11 `wait_for`, and so a request, may swallow a cancellation.

    Raises:
        CancelledError: the task is cancelled.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


class TaskGroup(asyncio.TaskGroup):
    """A task group that does not wait for ever, after an error, for a task that ignores its cancellation."""

    _left = False

    async def __aexit__(self, *error: Any) -> None:
        try:
            await super().__aexit__(*error)
        finally:
            self._left = True

    def create_task(self, coro: Generator[Any, None, T] | Coroutine[Any, Any, T], **options: Any) -> "asyncio.Task[T]":
        """Start a task of the group."""
        task = super().create_task(coro, **options)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: "asyncio.Task[Any]") -> None:
        if not task.cancelled() and (error := task.exception()):
            asyncio.get_running_loop().call_later(END_S, self._end_process, error)

    def _end_process(self, error: BaseException) -> None:
        if not self._left:
            echo(*"".join(traceback.format_exception(error)).rstrip("\n").split("\n"), stream=sys.stderr)
            echo(f"ended by a bug: other tasks go on {END_S:g} s after one has failed", stream=sys.stderr)
            os._exit(1)


@asynccontextmanager
async def background(work: Coroutine[Any, Any, Any]) -> AsyncIterator["asyncio.Task[Any]"]:
    """Run a coroutine beside the body of the context, and cancel it at the end.

    Raises:
        ExceptionGroup: the coroutine failed; the body was cancelled. An error of the body leaves as it is.
    """
    of_body: Exception | None = None
    async with TaskGroup() as group:
        task = group.create_task(work)
        try:
            yield task
        except Exception as error:
            of_body = error
        finally:
            task.cancel()
    if of_body is not None:
        raise of_body
