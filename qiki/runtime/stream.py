"""Reading a stream by sequence: nothing is lost and nothing comes twice, whatever happens to the broker."""

import asyncio
import contextlib
from collections.abc import Callable
from datetime import datetime
from enum import Enum

import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.errors import NotFoundError

from qiki.runtime.cancellation import end_if_cancelled

LOOK_S = 5.0
"""How often to see whether the consumer is still there."""
_RETRY_S = 0.1
_REQUEST_S = 2.0
_GONE_AFTER_S = 30.0
_FLOW_CONTROL = "$JS.FC."
_SENT = "Nats-Last-Consumer"  # in a heartbeat


class Begin(Enum):
    """Where a reader begins."""

    OLDEST = "oldest"
    NEW = "new"


class StreamReader:
    """Follows one stream with a consumer of its own, made anew behind the last message after each break.

    A break also shows in a number that the consumer leaves out: a reader that waits for an answer acts late on it.

    Args:
        client: the connection
        stream: its name
        take: called with each message and its sequence
        begin: with the oldest message, with those stored since a time, or with what is stored from now on; a stream
            that is made later, or anew, is read from its oldest message
        subjects: what of it; all where none is given

    Attributes:
        following: set while a consumer is there: what is stored from then on will come
        caught_up: set once all has come that was stored at the beginning
    """

    def __init__(
        self,
        client: Client,
        stream: str,
        take: Callable[[Msg, int], None],
        begin: Begin | datetime = Begin.OLDEST,
        subjects: tuple[str, ...] = (),
    ) -> None:
        self.following = asyncio.Event()
        self.caught_up = asyncio.Event()
        self._client = client
        self._stream = stream
        self._take = take
        self._begin = begin
        self._subjects = subjects
        self._created: datetime | None = None
        self._last: int | None = None
        self._newest = 0
        self._inbox = ""
        self._delivered = 0  # by the present consumer, which numbers what it sends
        self._broken = asyncio.Event()

    def lost(self) -> None:
        """The connection has gone, and the consumer with it."""
        self._broken.set()

    async def run(self) -> None:
        """Read for ever."""
        while True:
            end_if_cancelled()
            self._broken.clear()
            with contextlib.suppress(nats.errors.Error):  # not there yet, or not yet again
                await self._follow()
            await asyncio.sleep(_RETRY_S)

    async def _follow(self) -> None:
        jetstream = self._client.jetstream(timeout=_REQUEST_S)
        await self._locate(jetstream)
        self._inbox = self._client.new_inbox()
        self._delivered = 0
        subscription = await self._client.subscribe(
            self._inbox, cb=self._received, pending_msgs_limit=0, pending_bytes_limit=0
        )
        try:
            consumer = await jetstream.add_consumer(self._stream, self._config())
            end_if_cancelled()
            self.following.set()
            if not consumer.num_pending and not (consumer.delivered and consumer.delivered.consumer_seq):
                self.caught_up.set()
            await self._until_gone(jetstream, consumer.name)
        finally:
            self.following.clear()
            with contextlib.suppress(nats.errors.Error):
                await subscription.unsubscribe()

    async def _until_gone(self, jetstream: JetStreamContext, consumer: str) -> None:
        """Wait until the consumer is there no longer: the server does not say when it takes one away.

        Raises:
            nats.errors.Error: the server does not know it, or does not answer.
        """
        while not self._broken.is_set():
            try:
                async with asyncio.timeout(LOOK_S):
                    await self._broken.wait()
            except TimeoutError:
                await jetstream.consumer_info(self._stream, consumer)
                end_if_cancelled()

    async def _locate(self, jetstream: JetStreamContext) -> None:
        """Settle behind which message to read on; numbers of an earlier making of the stream mean nothing."""
        try:
            info = await jetstream.stream_info(self._stream)
        except NotFoundError:
            self.caught_up.set()
            if self._created is None:
                self._last = 0
            raise
        if self._created not in {None, info.created}:
            self._last = 0
        elif self._last is None and self._begin is Begin.NEW:
            self._last = info.state.last_seq
        elif self._last is not None:  # the broker may have come back without the last ones
            self._last = min(self._last, info.state.last_seq)
        self._created = info.created
        self._newest = info.state.last_seq

    def _config(self) -> ConsumerConfig:
        begin: dict[str, object] = {"deliver_policy": DeliverPolicy.ALL}
        if self._last is not None:
            begin = {"deliver_policy": DeliverPolicy.BY_START_SEQUENCE, "opt_start_seq": self._last + 1}
        elif isinstance(self._begin, datetime):
            begin = {"deliver_policy": DeliverPolicy.BY_START_TIME, "opt_start_time": self._begin}
        if len(self._subjects) == 1:
            begin["filter_subject"] = self._subjects[0]
        elif self._subjects:
            begin["filter_subjects"] = list(self._subjects)
        return ConsumerConfig(
            deliver_subject=self._inbox,
            # Else the broker cuts off whoever is more than 64 MB behind, and what is not kept is lost to him.
            flow_control=True,
            idle_heartbeat=LOOK_S,  # a condition of it
            ack_policy=AckPolicy.NONE,
            mem_storage=True,
            inactive_threshold=_GONE_AFTER_S,
            **begin,  # type: ignore[arg-type]
        )

    async def _received(self, message: Msg) -> None:
        if message.reply.startswith(_FLOW_CONTROL):  # all before it is taken
            await self._client.publish(message.reply)
        elif message.subject and message.reply:
            told = message.metadata
            if told.sequence.consumer != self._delivered + 1:
                self._broken.set()  # some were lost on a connection that broke: a new consumer sends them again
                return
            self._delivered += 1
            sequence = told.sequence.stream
            if sequence > (self._last or 0):
                self._last = sequence
                self._take(message, sequence)
            if sequence >= self._newest or not told.num_pending:
                self.caught_up.set()
        elif message.headers and int(message.headers.get(_SENT, self._delivered)) != self._delivered:
            self._broken.set()
