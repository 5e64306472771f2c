"""Cancellations that a library has swallowed."""

import asyncio


def end_if_cancelled() -> None:
    """End a task that is cancelled: up to Python 3.11 `wait_for`, and so a request, may swallow a cancellation.

    Raises:
        CancelledError: the task is cancelled.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
