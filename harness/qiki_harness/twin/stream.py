"""Reading a stream by sequence: nothing is lost and nothing comes twice, whatever happens to the broker."""

import asyncio
import contextlib
from collections.abc import Callable
from datetime import datetime

import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

_RETRY_S = 0.1
_REQUEST_S = 2.0
_GONE_AFTER_S = 30.0


class StreamReader:
    """Follows one stream with a consumer of its own, made anew behind the last message after each break.

    Args:
        client: the connection
        stream: its name
        take: called with each message and its sequence
        since: where to begin; None: with the oldest message
    """

    def __init__(
        self, client: Client, stream: str, take: Callable[[Msg, int], None], since: datetime | None = None
    ) -> None:
        self._client = client
        self._stream = stream
        self._take = take
        self._since = since
        self._last = 0
        self._inbox = ""
        self._broken = asyncio.Event()

    def lost(self) -> None:
        """The connection has gone, and the consumer with it."""
        self._broken.set()

    async def run(self) -> None:
        """Read for ever."""
        while True:
            self._broken.clear()
            with contextlib.suppress(nats.errors.Error):  # not there yet, or not yet again
                await self._follow()
            await asyncio.sleep(_RETRY_S)

    async def _follow(self) -> None:
        self._inbox = self._client.new_inbox()
        subscription = await self._client.subscribe(
            self._inbox, cb=self._received, pending_msgs_limit=0, pending_bytes_limit=0
        )
        try:
            await self._client.jetstream(timeout=_REQUEST_S).add_consumer(self._stream, self._config())
            await self._broken.wait()
        finally:
            with contextlib.suppress(nats.errors.Error):
                await subscription.unsubscribe()

    def _config(self) -> ConsumerConfig:
        begin: dict[str, object] = {"deliver_policy": DeliverPolicy.ALL}
        if self._last:
            begin = {"deliver_policy": DeliverPolicy.BY_START_SEQUENCE, "opt_start_seq": self._last + 1}
        elif self._since:
            begin = {"deliver_policy": DeliverPolicy.BY_START_TIME, "opt_start_time": self._since}
        return ConsumerConfig(
            deliver_subject=self._inbox,
            ack_policy=AckPolicy.NONE,
            mem_storage=True,
            inactive_threshold=_GONE_AFTER_S,
            **begin,  # type: ignore[arg-type]
        )

    async def _received(self, message: Msg) -> None:
        if message.subject and message.reply:
            place = message.metadata.sequence
            if place.stream > self._last:
                self._last = place.stream
                self._take(message, place.stream)
