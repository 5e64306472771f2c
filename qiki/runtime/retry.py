"""Attempts that are repeated until they succeed, with pauses that grow: requests to the broker, connections."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

import nats.errors
from nats.js import JetStreamContext
from nats.js.api import RawStreamMsg
from nats.js.errors import NotFoundError

from qiki.runtime.service import S, Service
from qiki.runtime.tasks import end_if_cancelled

T = TypeVar("T")
Errors = tuple[type[Exception], ...]
FIRST_RETRY_S = 0.005
RETRY_S = 0.05
CONNECT_TIMEOUT_S = 2.0
NO_STREAM = 10059
AWAY: Errors = (nats.errors.Error, TimeoutError)  # the broker is away, or is not ready yet


def pause_s(failures: int) -> float:
    """Return the pause before the next attempt.

    What is there in a moment is found in a moment, and a long absence costs little.
    """
    return min(FIRST_RETRY_S * 2.0 ** min(failures - 1, 16), RETRY_S) if failures else 0.0


class StoppingError(Exception):
    """The service stops before a call has succeeded."""


async def patiently(
    call: Callable[[], Awaitable[T]],
    stopping: asyncio.Event | None = None,
    *,
    retry_on: Errors = AWAY,
    answers: Errors = (NotFoundError,),
    failed: Callable[[Exception], object] = lambda _: None,
) -> T:
    """Return the result of `call`, usually a request to the broker; call again while it fails.

    Args:
        stopping: ends the retries
        retry_on: errors after which it is called again
        answers: of those, the ones that are raised
        failed: called with each error before the next call

    Raises:
        StoppingError: `stopping` was set first.
    """
    stopping = stopping or asyncio.Event()
    failures = 0
    while True:
        try:
            return await call()
        except answers:
            raise
        except retry_on as error:
            failed(error)
        finally:
            end_if_cancelled()
        failures += 1
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), pause_s(failures))
            raise StoppingError


async def unless_stopping(stopping: asyncio.Event, work: Coroutine[Any, Any, T]) -> T:
    """Return the result of `work`; cancel it if the service stops first.

    Raises:
        StoppingError: the service stops.
    """
    tasks = asyncio.ensure_future(work), asyncio.ensure_future(stopping.wait())
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if not tasks[0].done():
            raise StoppingError
        return tasks[0].result()
    finally:
        for task in tasks:
            task.cancel()


async def listening(host: str, port: int, stopping: asyncio.Event) -> None:
    """Wait until a server listens, or the service stops. Libraries pause for long after a first refusal."""
    failures = 0
    while not stopping.is_set():
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                _, writer = await asyncio.open_connection(host, port)
        except OSError:
            failures += 1
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), pause_s(failures))
        else:
            writer.close()
            return


async def until_there(service: Service[S], problem: str, call: Callable[[], Awaitable[T]]) -> T:
    """Return the result of `call`; be unready while the broker, a stream or a consumer is missing.

    Raises:
        StoppingError: the service stops first.
    """
    service.health.wait_for("stream", problem)
    if service.stopping.is_set():  # there may be no connection
        raise StoppingError
    found = await patiently(call, service.stopping, answers=())
    service.health.met("stream")
    return found


async def last_message(jetstream: JetStreamContext, stream: str, subject: str) -> RawStreamMsg | None:
    """Return the newest stored message of a subject; None without one.

    Raises:
        NotFoundError: there is no such stream.
        nats.errors.Error: the broker does not answer.
    """
    try:
        return await jetstream.get_last_msg(stream, subject)
    except NotFoundError as error:
        if error.err_code == NO_STREAM:
            raise
        return None
