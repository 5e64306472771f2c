"""Messages that exceeded their deliveries go to the dead letters: the server moves nothing, and says so only once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import structlog
from nats.aio.msg import Msg
from nats.js.errors import NotFoundError
from pydantic import Field, ValidationError

from qiki.contracts.fields import Payload
from qiki.runtime.dead_letters import Stored, bury, reason_text
from qiki.runtime.nats import Link
from qiki.runtime.publisher import Publisher
from qiki.runtime.retry import patiently
from qiki.runtime.tasks import TaskGroup

ADVISORIES = "$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.>"
log = structlog.get_logger()


class Exhausted(Payload):
    """The server's advisory of a message that a durable has given up."""

    stream: str = Field(pattern=r"^[^\s.*>/\\]+$")
    stream_seq: int = Field(ge=1, lt=1 << 63)
    consumer: str
    deliveries: int


@asynccontextmanager
async def bury_exhausted(link: Link, publisher: Publisher) -> AsyncIterator[None]:
    """Bury every message that a durable gives up while the context lasts; an error of that ends the context."""
    given_up: asyncio.Queue[Exhausted] = asyncio.Queue()

    async def note(advisory: Msg) -> None:
        try:
            given_up.put_nowait(Exhausted.from_json(advisory.data))
        except ValidationError as error:
            log.warning("advisory unreadable", subject=advisory.subject, reason=reason_text(error))

    async with TaskGroup() as group:
        burying = group.create_task(_bury_all(given_up, link, publisher))
        subscription = await link.client.subscribe(ADVISORIES, cb=note)
        try:
            yield
        finally:
            await subscription.unsubscribe()
            burying.cancel()


async def _bury_all(given_up: "asyncio.Queue[Exhausted]", link: Link, publisher: Publisher) -> None:
    while True:
        one = await given_up.get()
        try:
            message = await patiently(partial(link.jetstream.get_msg, one.stream, one.stream_seq))
        except NotFoundError:
            log.warning("exhausted message is gone already", stream=one.stream, sequence=one.stream_seq)
            continue
        reason = f"delivered {one.deliveries} times to {one.consumer} and never acknowledged"
        stored = Stored(str(message.subject), one.stream, one.stream_seq, message.data or b"")
        await bury(publisher, stored, reason)
