"""Reading a stream by sequence, with a consumer that is made anew behind the last message after each break."""

import asyncio
import contextlib
from datetime import datetime

import nats.errors
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.errors import Error as JetStreamError

from qiki.clock import rfc3339

BATCH = 500
FETCH_S = 0.5
RETRY_S = 0.1
GONE_AFTER_S = 30.0


class StreamReader:
    """Follows one subject of one stream.

    Args:
        jetstream: of a connection that comes back by itself
        stream: its name
        subject: what of it
        created: which making of the stream `sequence` belongs to
        sequence: the last one that need not be read
    """

    def __init__(
        self, jetstream: JetStreamContext, stream: str, subject: str, created: str = "", sequence: int = 0
    ) -> None:
        self.stream = stream
        self.created = created
        self._jetstream = jetstream
        self._subject = subject
        self._sequence = sequence
        self._delivered = 0
        self._subscription: JetStreamContext.PullSubscription | None = None

    async def batch(self) -> list[Msg]:
        """What came within half a second; nothing while the broker or the stream is away."""
        try:
            messages = await self._fetch()
        except TimeoutError:
            return []
        except (nats.errors.Error, JetStreamError):
            await self._drop()
            await asyncio.sleep(RETRY_S)
            return []
        whole = self._in_order(messages)
        if len(whole) < len(messages):
            await self._drop()
        return whole

    async def _fetch(self) -> list[Msg]:
        if self._subscription is None:
            self._subscription = await self._begin()
        return await self._subscription.fetch(BATCH, timeout=FETCH_S)

    def _in_order(self, messages: list[Msg]) -> list[Msg]:
        """Messages up to the first gap in the deliveries; what was lost on the way is read again."""
        taken = []
        for message in messages:
            place = message.metadata.sequence
            if place.consumer != self._delivered + 1:
                break
            self._delivered, self._sequence = place.consumer, place.stream
            taken.append(message)
        return taken

    async def _begin(self) -> JetStreamContext.PullSubscription:
        info = await self._jetstream.stream_info(self.stream)
        created = rfc3339(info.created) if info.created else ""
        if created != self.created:
            self.created, self._sequence = created, 0
        self._delivered = 0
        return await self._jetstream.pull_subscribe(
            self._subject,
            stream=self.stream,
            config=ConsumerConfig(
                ack_policy=AckPolicy.NONE,
                deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
                opt_start_seq=self._sequence + 1,
                mem_storage=True,
                inactive_threshold=GONE_AFTER_S,
            ),
        )

    async def _drop(self) -> None:
        subscription, self._subscription = self._subscription, None
        if subscription is not None:
            with contextlib.suppress(nats.errors.Error):
                await subscription.unsubscribe()


def stored_at(message: Msg) -> datetime:
    """Wall time when the broker stored it."""
    return message.metadata.timestamp
