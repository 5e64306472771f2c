"""Requests to the broker that are repeated until they are answered."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import TypeVar

import nats.errors
from nats.js import JetStreamContext
from nats.js.api import RawStreamMsg
from nats.js.errors import NotFoundError

from qiki.runtime.service import S, Service
from qiki.runtime.tasks import end_if_cancelled

T = TypeVar("T")
Errors = tuple[type[Exception], ...]
RETRY_S = 0.1
NO_STREAM = 10059
AWAY: Errors = (nats.errors.Error, TimeoutError)  # the broker is away, or is not ready yet


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
    while True:
        try:
            return await call()
        except answers:
            raise
        except retry_on as error:
            failed(error)
        finally:
            end_if_cancelled()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), RETRY_S)
            raise StoppingError


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
