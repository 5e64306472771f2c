"""A stream read by sequence, without gaps and duplicates."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from uuid import uuid4

import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy, StreamState
from nats.js.errors import NotFoundError

from qiki.runtime.retry import patiently
from qiki.runtime.tasks import end_if_cancelled

LOOK_S = 5.0  # interval between two looks at the consumer; and between heartbeats
_REQUEST_S = 2.0
_GONE_AFTER_S = 30.0
_FLOW_CONTROL = "$JS.FC."
_REMEMBERED = 4096  # more than a killed broker loses
_SAME_TIME = timedelta(milliseconds=1)  # a message that is stored again is stored later
_SENT = "Nats-Last-Consumer"  # in a heartbeat


class Begin(Enum):
    """Begin of a reader."""

    OLDEST = "oldest"
    NEW = "new"


@dataclass(frozen=True)
class StreamPosition:
    """A message of a stream: the stream's creation, without which a sequence means nothing, and the sequence."""

    created: datetime
    sequence: int


Start = Begin | StreamPosition | datetime
Take = Callable[[Msg, int], Awaitable[None] | None]


class StreamReader:
    """A reader of one stream with a push consumer; after a break another one resumes behind the last message taken.

    A killed broker may have lost messages that were taken, and others may have their places: then the reader resumes
    behind the last one that the stream still has, by its sequence and its time of storage.

    A break is detected by `lost`, a gap in the consumer's own numbers, a heartbeat, or a consumer that the server no
    longer knows. Flow control holds the server back while `take` works.

    Args:
        take: called with each message and its sequence; awaited if it is a coroutine function
        begin: the oldest message, a position to read behind, a time of storage, or new messages only; a stream that is
            made later, or made again, is read from its oldest message
        subjects: empty: all
        changed: called when `following` is set or cleared
        cut: called with the sequence of the last message kept, where a killed broker has lost later ones that were
            taken

    Attributes:
        created: creation of the followed stream
        following: set while there is a consumer: every message stored from then on will come
        caught_up: set once all messages stored at the beginning have come
    """

    def __init__(
        self,
        client: Client,
        stream: str,
        take: Take,
        begin: Start = Begin.OLDEST,
        subjects: tuple[str, ...] = (),
        changed: Callable[[], object] = lambda: None,
        cut: Callable[[int], object] = lambda _: None,
    ) -> None:
        self.following = asyncio.Event()
        self.caught_up = asyncio.Event()
        self._client = client
        self._stream = stream
        self._take = take
        self._begin = begin
        self._subjects = subjects
        self._changed = changed
        self._cut = cut
        position = begin if isinstance(begin, StreamPosition) else None
        self.created = position.created if position else None
        self._last = position.sequence if position else None
        self._taken = deque[tuple[int, datetime]]()  # the last messages: sequences, times of storage
        self._floor = self._last  # what came before them; None: what `begin` says
        self._newest = 0
        self._inbox = ""
        self._delivered = 0  # by the present consumer, which numbers its messages
        self._broken = asyncio.Event()

    @property
    def stream(self) -> str:
        """The stream's name."""
        return self._stream

    @property
    def last(self) -> int:
        """Sequence of the last message that was taken; 0 before the first."""
        return self._last or 0

    def lost(self) -> None:
        """Note the loss of the connection, and so of the consumer."""
        self._broken.set()

    async def run(self) -> None:
        """Read for ever."""
        while True:
            await patiently(self._follow, answers=())

    async def _follow(self) -> None:
        """Follow one consumer until it breaks, or fail to make it."""
        self._broken.clear()
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
            self._changed()
            if not consumer.num_pending and not (consumer.delivered and consumer.delivered.consumer_seq):
                self.caught_up.set()
            try:
                await self._until_gone(jetstream, consumer.name)
            finally:  # else the broker would keep it for a while
                with contextlib.suppress(nats.errors.Error):
                    await self._client.publish(f"$JS.API.CONSUMER.DELETE.{self._stream}.{consumer.name}")
        finally:
            self.following.clear()
            self._changed()
            with contextlib.suppress(nats.errors.Error):
                await subscription.unsubscribe()

    async def _until_gone(self, jetstream: JetStreamContext, consumer: str) -> None:
        """Wait for a break; ask for the consumer now and then, as the server gives no notice when it removes one."""
        while not self._broken.is_set():
            try:
                async with asyncio.timeout(LOOK_S):
                    await self._broken.wait()
            except TimeoutError:
                await jetstream.consumer_info(self._stream, consumer)
                end_if_cancelled()

    async def _locate(self, jetstream: JetStreamContext) -> None:
        """Find the message behind which to read on."""
        try:
            info = await jetstream.stream_info(self._stream)
        except NotFoundError:
            self.caught_up.set()
            if self.created is None:
                self._last = 0
            raise
        if self.created not in {None, info.created}:
            self._last = self._floor = 0
            self._taken.clear()
        elif self._last is None and self._begin is Begin.NEW:
            self._last = self._floor = info.state.last_seq
        elif self._taken:
            await self._rewind(jetstream, info.state)
        elif self._last is not None:
            self._last = self._floor = min(self._last, info.state.last_seq)
        self.created = info.created
        self._newest = info.state.last_seq

    async def _rewind(self, jetstream: JetStreamContext, state: StreamState) -> None:
        """Go back to the last message taken that the stream still has."""
        taken = list(self._taken)
        kept, lost, at = 0, len(taken), len(taken) - 1
        while kept < lost:
            if await self._is_stored(jetstream, state, *taken[at]):
                kept = at + 1
            else:
                lost = at
            at = (kept + lost) // 2
        if kept == len(taken):
            return
        self._taken = deque(taken[:kept])
        if not kept and self._floor is not None:
            self._floor = min(self._floor, state.last_seq)
        self._last = taken[kept - 1][0] if kept else self._floor
        self._cut(self._last or 0)

    async def _is_stored(
        self, jetstream: JetStreamContext, state: StreamState, sequence: int, stored_at: datetime
    ) -> bool:
        """Return whether a message is still there; one that was discarded or deleted counts as such."""
        if not state.first_seq <= sequence <= state.last_seq:
            return sequence < state.first_seq
        try:
            message = await jetstream.get_msg(self._stream, sequence)
        except NotFoundError:
            return True
        return message.time is not None and abs(message.time - stored_at) < _SAME_TIME

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
            name=uuid4().hex,  # the right to make a consumer is one to make it under a name that is no durable's
            deliver_subject=self._inbox,
            flow_control=True,  # without it the broker cuts off a client that is more than 64 MB behind
            idle_heartbeat=LOOK_S,  # a condition of it
            ack_policy=AckPolicy.NONE,
            mem_storage=True,
            inactive_threshold=_GONE_AFTER_S,
            **begin,  # type: ignore[arg-type]
        )

    async def _received(self, message: Msg) -> None:
        if message.reply.startswith(_FLOW_CONTROL):  # all messages before it are taken
            await self._client.publish(message.reply)
        elif message.subject and message.reply:
            await self._stored(message)
        elif message.headers and message.headers.get(_SENT, str(self._delivered)) != str(self._delivered):
            self._broken.set()

    async def _stored(self, message: Msg) -> None:
        metadata = message.metadata
        place = metadata.sequence
        if place.consumer != self._delivered + 1:
            self._broken.set()  # a gap: another consumer sends the lost messages again
            return
        self._delivered += 1
        if place.stream > (self._last or 0):
            if (taken := self._take(message, place.stream)) is not None:
                await taken
            self._last = place.stream
            self._remember(place.stream, metadata.timestamp)
        if place.stream >= self._newest or not metadata.num_pending:
            self.caught_up.set()

    def _remember(self, sequence: int, stored_at: datetime) -> None:
        self._taken.append((sequence, stored_at))
        if len(self._taken) > _REMEMBERED:
            self._floor, _ = self._taken.popleft()
