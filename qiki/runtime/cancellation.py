"""Cancellations that others swallow."""

import asyncio


def end_if_cancelled() -> None:
    """End if told to: up to Python 3.11 `wait_for`, and with it a request, may swallow a cancellation.

    Raises:
        CancelledError: the task has been told to end.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
