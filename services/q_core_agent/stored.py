"""What the broker keeps already when the agent begins."""

import asyncio
from datetime import datetime, timedelta

import nats.errors
from nats.js.api import RawStreamMsg
from nats.js.errors import NotFoundError

from qiki.contracts import topics
from qiki.runtime.cancellation import end_if_cancelled
from qiki.runtime.nats import Link
from qiki.runtime.stream import Begin

RETRY_S = 0.1
BEFORE = timedelta(seconds=10)
"""A frame's tracks are stored no longer before the notice that they are."""


async def newest(link: Link, stream: str, subject: str) -> RawStreamMsg | None:
    """The newest message of a subject, when the broker answers; None where there is none, or no such stream yet."""
    while True:
        try:
            return await link.jetstream.get_last_msg(stream, subject)
        except NotFoundError:
            return None
        except nats.errors.Error:
            await asyncio.sleep(RETRY_S)
        finally:
            end_if_cancelled()


async def newest_frame(link: Link) -> Begin | datetime:
    """Where to begin with tracks so that the newest frame is among them."""
    message = await newest(link, topics.QIKI_TRACKER_V1, topics.TRACKED.subject)
    return message.time - BEFORE if message and message.time else Begin.OLDEST
