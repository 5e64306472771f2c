"""The intake hands over what is there at once, in order and as one list; FastStream's own batches wait."""

import asyncio
import inspect
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path

import pytest
from nats.aio.msg import Msg
from nats.js import JetStreamContext

from faststream_bridge import intake
from faststream_bridge.app import BATCH, build
from nats_js_init.settings import InitSettings
from nats_js_init.streams import apply, plan
from qiki.contracts import topics
from qiki.runtime.nats import new_client
from qiki_harness.testing import Broker, until_async


class Taken:
    """Lists that were handed over, as their bodies."""

    def __init__(self) -> None:
        self.lists: list[list[bytes]] = []

    async def take(self, messages: Sequence[Msg]) -> None:
        self.lists.append([message.data for message in messages])
        for message in messages:
            await message.ack()

    @property
    def bodies(self) -> list[bytes]:
        return [body for bodies in self.lists for body in bodies]

    async def are(self, *numbers: int) -> bool:
        return self.bodies == [str(number).encode() for number in numbers]


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    with Broker(tmp_path / "nats") as running:
        yield running


@asynccontextmanager
async def following(broker: Broker, taken: Taken) -> AsyncIterator[JetStreamContext]:
    """The bridge's application on the streams."""
    client = new_client()
    await client.connect(broker.url)
    await apply(client.jetstream(), plan(InitSettings()))
    app = build(taken.take, servers=[broker.url], max_reconnect_attempts=-1, reconnect_time_wait=0.05)
    await app.start()
    try:
        yield client.jetstream()
    finally:
        await app.stop()
        await client.close()


async def store(jetstream: JetStreamContext, first: int, last: int) -> None:
    for number in range(first, last + 1):
        await jetstream.publish(topics.FRAMES.subject, str(number).encode())


async def outstanding(jetstream: JetStreamContext) -> int:
    """Messages that were delivered and are not acknowledged."""
    info = await jetstream.consumer_info(topics.QIKI_RADAR_V1, topics.FRAMES_DURABLE)
    return info.num_ack_pending or 0


def test_one_message_does_not_wait_for_a_full_batch(broker: Broker):
    async def scenario() -> None:
        taken = Taken()
        async with following(broker, taken) as jetstream:
            for number in range(3):
                await store(jetstream, number, number)
                await until_async("the message", lambda number=number: taken.are(*range(number + 1)))
        assert taken.lists == [[b"0"], [b"1"], [b"2"]]

    asyncio.run(scenario())


def test_faststreams_own_batch_waits_until_it_is_full(broker: Broker, monkeypatch: pytest.MonkeyPatch):
    """If not, the patch can go."""
    assert version("faststream").startswith(f"{intake.VERSION}.")
    intake.patch()
    own = inspect.unwrap(getattr(intake.PATCH.owner, intake.PATCH.name))
    monkeypatch.setattr(intake.PATCH.owner, intake.PATCH.name, own)
    monkeypatch.setattr("faststream_bridge.app.REQUEST_S", 60.0)

    async def scenario() -> None:
        taken = Taken()
        async with following(broker, taken) as jetstream:
            await store(jetstream, 1, 1)

            async def delivered() -> bool:
                return await outstanding(jetstream) == 1

            await until_async("the delivery", delivered)
            assert taken.lists == []
            await store(jetstream, 2, BATCH)
            await until_async("the batch", lambda: taken.are(*range(1, BATCH + 1)))
        assert len(taken.lists) == 1

    asyncio.run(scenario())


def test_what_comes_while_the_last_list_is_handled_is_one_list(broker: Broker):
    async def scenario() -> None:
        free = asyncio.Event()

        class Slow(Taken):
            async def take(self, messages: Sequence[Msg]) -> None:
                await super().take(messages)
                await free.wait()

        taken = Slow()
        async with following(broker, taken) as jetstream:
            await store(jetstream, 0, 0)
            await until_async("the first", lambda: taken.are(0))
            await store(jetstream, 1, 40)

            async def delivered() -> bool:
                return await outstanding(jetstream) == 40

            await until_async("the others' delivery", delivered)
            free.set()
            await until_async("the others", lambda: taken.are(*range(41)))
        assert [len(one) for one in taken.lists] == [1, 40]

    asyncio.run(scenario())


def test_more_than_any_request_come_in_order(broker: Broker):
    async def scenario() -> None:
        taken = Taken()
        async with following(broker, taken) as jetstream:
            await store(jetstream, 0, 5 * BATCH)
            await until_async("all", lambda: taken.are(*range(5 * BATCH + 1)))
        assert max(map(len, taken.lists)) <= BATCH

    asyncio.run(scenario())


def test_a_request_that_the_broker_forgot_is_made_again(broker: Broker):
    """Nobody calls `renew` here: a request counts as lost some time after its end."""

    async def scenario() -> None:
        taken = Taken()
        async with following(broker, taken) as jetstream:
            await store(jetstream, 0, 0)
            await until_async("the first", lambda: taken.are(0))
            broker.kill()
            broker.start()
            async with broker_client(broker) as again:
                await store(again, 1, 1)
                await until_async("the second", lambda: taken.are(0, 1))

    asyncio.run(scenario())


@asynccontextmanager
async def broker_client(broker: Broker) -> AsyncIterator[JetStreamContext]:
    client = new_client()
    await client.connect(broker.url)
    try:
        yield client.jetstream()
    finally:
        await client.close()
