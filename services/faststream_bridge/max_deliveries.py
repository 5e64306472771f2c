"""What exceeded its deliveries goes to the dead letters: the server only tells, it moves nothing, and it tells once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import nats.errors
import structlog
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import RawStreamMsg
from nats.js.errors import NotFoundError
from pydantic import BaseModel, Field, ValidationError

from faststream_bridge.stream_position import RETRY_S
from qiki.runtime.cancellation import end_if_cancelled
from qiki.runtime.dead_letters import dead_letter
from qiki.runtime.nats import Link
from qiki.runtime.window import PublishWindow

ADVISORIES = "$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.>"
log = structlog.get_logger()


class Exhausted(BaseModel):
    """The server's advisory of a message that a durable gave up on."""

    stream: str = Field(pattern=r"^[^\s.*>/\\]+$")
    stream_seq: int = Field(ge=1)
    consumer: str
    deliveries: int


@asynccontextmanager
async def bury_exhausted(link: Link, window: PublishWindow) -> AsyncIterator[None]:
    """Keep a dead letter of every message that a durable gave up on, as long as the context lasts.

    The letters are written by a task of the context: an error of it ends the context, and a broker that is away is
    waited for.
    """
    told: asyncio.Queue[Exhausted] = asyncio.Queue()

    async def note(advisory: Msg) -> None:
        try:
            told.put_nowait(Exhausted.model_validate_json(advisory.data))
        except ValidationError as error:
            log.warning("advisory unreadable", subject=advisory.subject, reason=str(error))

    async with asyncio.TaskGroup() as group:
        burying = group.create_task(_bury_all(told, link, window))
        subscription = await link.client.subscribe(ADVISORIES, cb=note)
        try:
            yield
        finally:
            await subscription.unsubscribe()
            burying.cancel()


async def _bury_all(told: "asyncio.Queue[Exhausted]", link: Link, window: PublishWindow) -> None:
    while True:
        one = await told.get()
        message = await _message(link.jetstream, one)
        if message is None:
            log.warning("exhausted message is gone already", stream=one.stream, sequence=one.stream_seq)
        else:
            await _bury(message, one, window)


async def _message(jetstream: JetStreamContext, one: Exhausted) -> RawStreamMsg | None:
    """What is to be buried, or None where it is no longer there; waits for a broker that is away."""
    while True:
        try:
            return await jetstream.get_msg(one.stream, one.stream_seq)
        except NotFoundError:
            return None
        except nats.errors.Error:
            await asyncio.sleep(RETRY_S)
        finally:
            end_if_cancelled()


async def _bury(message: RawStreamMsg, one: Exhausted, window: PublishWindow) -> None:
    reason = f"delivered {one.deliveries} times to {one.consumer} and never acknowledged"
    subject, headers = dead_letter(str(message.subject), one.stream, one.stream_seq, reason)
    try:
        await window.publish(subject, message.data or b"", headers)
    except nats.errors.MaxPayloadError:  # its own headers were smaller than a dead letter's
        await window.publish(subject, b"", headers)
    log.error("dead letter", stream=one.stream, sequence=one.stream_seq, reason=reason)
