"""The connections to the stack under test: one to NATS, one to the simulator; what checks do with them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import grpc.aio
import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from generated.q_sim_api_pb2_grpc import QSimAPIServiceStub
from qiki.runtime.grpc import CLIENT_OPTIONS
from qiki.runtime.nats import new_client
from qiki_harness.errors import HarnessError
from qiki_harness.smoke.inbox import Inbox, Message
from qiki_harness.smoke.target import Target

if TYPE_CHECKING:
    from generated.q_sim_api_pb2_grpc import QSimAPIServiceAsyncStub

ANSWER_S = 5.0
_CONNECT_S = 5.0
_GONE_AFTER_S = 30.0


@dataclass(frozen=True, slots=True)
class Session:
    """What checks share."""

    target: Target
    client: Client
    channel: grpc.aio.Channel

    @property
    def jetstream(self) -> JetStreamContext:
        """JetStream on the connection."""
        return self.client.jetstream(timeout=ANSWER_S)

    @property
    def sim(self) -> "QSimAPIServiceAsyncStub":
        """The simulator's RPCs."""
        return QSimAPIServiceStub(self.channel)

    @asynccontextmanager
    async def listening(self, subject: str) -> AsyncIterator[Inbox]:
        """What passes on a subject from now on."""
        inbox = Inbox()

        async def take(message: Msg) -> None:
            inbox.take(Message.read(message))

        subscription = await self.client.subscribe(subject, cb=take)
        try:
            await self.client.flush()
            yield inbox
        finally:
            with contextlib.suppress(nats.errors.Error):  # the connection may have gone
                await subscription.unsubscribe()

    @asynccontextmanager
    async def following(self, stream: str, *subjects: str, since: int | None = None) -> AsyncIterator[Inbox]:
        """What is stored in a stream from now on, or from a sequence on: each message once and in order."""
        place = self.client.new_inbox()
        reader = ConsumerConfig(
            deliver_subject=place,
            filter_subjects=list(subjects) or None,
            deliver_policy=DeliverPolicy.NEW if since is None else DeliverPolicy.BY_START_SEQUENCE,
            opt_start_seq=since,
            ack_policy=AckPolicy.NONE,
            mem_storage=True,
            inactive_threshold=_GONE_AFTER_S,
        )
        async with self.listening(place) as inbox:
            consumer = await self.jetstream.add_consumer(stream, reader)
            try:
                yield inbox
            finally:
                with contextlib.suppress(nats.errors.Error):  # else the broker removes it
                    await self.jetstream.delete_consumer(stream, consumer.name)

    async def newest(self, stream: str, count: int) -> list[Message]:
        """The newest messages of a stream, oldest first."""
        state = (await self.jetstream.stream_info(stream)).state
        if not state.messages:
            return []
        async with self.following(stream, since=max(state.first_seq, state.last_seq - count + 1)) as inbox:
            await inbox.first(lambda message: message.sequence >= state.last_seq, ANSWER_S)
            return [message for message in inbox.messages if message.sequence <= state.last_seq]


@asynccontextmanager
async def connected(target: Target) -> AsyncIterator[Session]:
    """A session for as long as the context lasts.

    Raises:
        HarnessError: NATS does not answer, so there is no stack.
    """
    client = await _connected(target)
    try:
        async with grpc.aio.insecure_channel(target.qsim_grpc, options=CLIENT_OPTIONS) as channel:
            yield Session(target, client, channel)
    finally:
        await client.close()


async def _connected(target: Target) -> Client:
    address = urlsplit(target.nats_url)
    client = new_client()
    try:
        async with asyncio.timeout(_CONNECT_S):
            # The client itself waits for seconds after a first refusal.
            _, writer = await asyncio.open_connection(address.hostname, address.port)
            writer.close()
            await client.connect(target.nats_url, name="smoke", allow_reconnect=False, error_cb=_ignore)
    except (OSError, TimeoutError, nats.errors.Error) as error:
        reason = str(error) or "in time"
        raise HarnessError(f"no stack found: NATS does not answer at {target.nats_url} ({reason})") from None
    return client


async def _ignore(_: Exception) -> None:
    """What goes wrong shows in the requests that are not answered."""
