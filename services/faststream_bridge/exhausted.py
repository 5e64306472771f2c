"""What exceeded its deliveries goes to the dead letters: the server only tells, it moves nothing."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from nats.aio.msg import Msg
from nats.js.errors import NotFoundError

from qiki.runtime.dead_letters import dead_letter
from qiki.runtime.nats import Link
from qiki.runtime.window import PublishWindow

ADVISORIES = "$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.>"
log = structlog.get_logger()


@asynccontextmanager
async def bury_exhausted(link: Link, window: PublishWindow) -> AsyncIterator[None]:
    """Keep a dead letter of every message that a durable gave up on, as long as the context lasts."""

    async def bury(advisory: Msg) -> None:
        told = json.loads(advisory.data)
        stream, sequence, durable = told["stream"], told["stream_seq"], told["consumer"]
        reason = f"delivered {told['deliveries']} times to {durable} and never acknowledged"
        try:
            message = await link.jetstream.get_msg(stream, sequence)
        except NotFoundError:
            log.warning("exhausted message is gone already", stream=stream, sequence=sequence)
            return
        subject, headers = dead_letter(str(message.subject), stream, sequence, reason)
        await window.publish(subject, message.data or b"", headers)
        log.error("dead letter", stream=stream, sequence=sequence, reason=reason)

    subscription = await link.client.subscribe(ADVISORIES, cb=bury)
    try:
        yield
    finally:
        await subscription.unsubscribe()
