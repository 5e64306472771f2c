"""A broker's streams, into which recorded messages are fed, and from which comes what a process made of them."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from typing import Any, TypeVar

from nats.aio.client import Client
from nats.js.api import AckPolicy, ConsumerConfig

from nats_js_init.settings import InitSettings
from nats_js_init.streams import apply, plan
from qiki.contracts.headers import Message
from qiki.contracts.topics import Topic
from qiki.runtime.nats import new_client
from qiki_harness.errors import DeadlineError
from qiki_harness.testing.wait import until

DEADLINE_S = 30.0
_BATCH = 500
T = TypeVar("T")


class Bus:
    """A broker without credentials at `url`; its streams are made here."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.run(lambda client: apply(client.jetstream(), plan(InitSettings())))

    def run(self, work: Callable[[Client], Awaitable[T]]) -> T:
        """Do something with a connection."""

        async def connected() -> T:
            client = new_client()
            await client.connect(self.url)
            try:
                return await work(client)
            finally:
                await client.close()

        return asyncio.run(connected())

    def store(self, messages: Iterable[Message]) -> None:
        """Store messages in their order."""

        async def publish(client: Client) -> None:
            for message in messages:
                await client.jetstream().publish(message.subject, message.body, headers=dict(message.headers) or None)

        self.run(publish)

    def stored(self, topic: Topic[Any]) -> list[Message]:
        """Return what the streams hold of a topic, in its order."""

        async def read(client: Client) -> list[Message]:
            config = ConsumerConfig(ack_policy=AckPolicy.NONE)
            reader = await client.jetstream().pull_subscribe(topic.subject, stream=topic.stream, config=config)
            left = (await reader.consumer_info()).num_pending or 0
            found: list[Message] = []
            while len(found) < left:
                batch = await reader.fetch(min(_BATCH, left - len(found)), timeout=DEADLINE_S)
                found += [Message(one.subject, one.data, one.headers or {}) for one in batch]
            return found

        return self.run(read)

    def await_stored(self, topic: Topic[Any], count: int) -> None:
        """Wait until so many messages of a topic are stored."""

        async def ask(client: Client) -> bool:
            info = await client.jetstream().stream_info(str(topic.stream), subjects_filter=topic.subject)
            return sum((info.state.subjects or {}).values()) >= count

        self._await(f"{count} messages on {topic.subject}", ask)

    def await_acknowledged(self, stream: str, durable: str) -> None:
        """Wait until a durable's reader has acknowledged all that its stream holds."""

        async def ask(client: Client) -> bool:
            info = await client.jetstream().consumer_info(stream, durable)
            return not info.num_pending and not info.num_ack_pending

        self._await(f"{durable} to be read", ask)

    def _await(self, what: str, ask: Callable[[Client], Awaitable[bool]]) -> None:
        """Wait; what does not come in time, the comparison finds."""
        with suppress(DeadlineError):
            until(what, lambda: self.run(ask), DEADLINE_S)
