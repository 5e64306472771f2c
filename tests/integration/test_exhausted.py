"""The dead letters of messages that a durable gave up on: the server tells of each once."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from nats.js import JetStreamContext
from nats.js.api import RawStreamMsg
from nats.js.errors import NotFoundError

from faststream_bridge.max_deliveries import ADVISORIES, bury_exhausted
from nats_js_init.settings import InitSettings
from nats_js_init.streams import apply, plan
from qiki.contracts import topics
from qiki.runtime.health import Health
from qiki.runtime.nats import Link, connect
from qiki.runtime.publisher import Publisher
from qiki.runtime.service import Service
from qiki.runtime.settings import ServiceSettings
from qiki_harness.testing import Broker, until_async

LETTERS = "qiki.dlq.v1.qiki.radar.v1.tracks"
GIVES_UP_SOON = InitSettings(radar_consumer_ack_wait_sec=0.2, radar_consumer_max_deliver=1)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    with Broker(tmp_path / "nats") as running:
        yield running


@asynccontextmanager
async def linked(broker: Broker) -> AsyncIterator[Link]:
    service = Service("exhausted-test", ServiceSettings(nats_url=broker.url), Health("exhausted-test"))
    async with asyncio.timeout(60), connect(service) as link:
        await apply(link.jetstream, plan(GIVES_UP_SOON))
        yield link


async def neglect(link: Link, body: bytes) -> int:
    """Store a message that is taken and never acknowledged; its sequence."""
    stored = await link.jetstream.publish(topics.TRACKS.subject, body)
    reader = await link.jetstream.pull_subscribe_bind(topics.TRACKS_DURABLE, topics.QIKI_RADAR_V1)
    await reader.fetch(1, timeout=10)
    return stored.seq


async def letter(link: Link) -> RawStreamMsg:
    """The newest dead letter, once there is one."""

    async def newest() -> RawStreamMsg | None:
        try:
            return await link.jetstream.get_last_msg(topics.QIKI_DLQ_V1, LETTERS)
        except NotFoundError:
            return None

    return await until_async("a dead letter", newest, 30.0)


@dataclass
class DyingLink(Link):
    """A link whose broker dies at the first question for a message."""

    broker: Broker | None = None

    @property
    def jetstream(self) -> JetStreamContext:
        return _Dying(self)


class _Dying(JetStreamContext):
    def __init__(self, link: DyingLink) -> None:
        super().__init__(link.client, timeout=0.5)
        self._link = link

    async def get_msg(self, *args: Any, **options: Any) -> RawStreamMsg:
        if self._link.broker is not None:
            self._link.broker.kill()
            self._link.broker = None
        return await super().get_msg(*args, **options)


async def until_connected(link: Link, wanted: bool) -> None:
    async def reached() -> bool:
        return link.client.is_connected == wanted

    await until_async(f"connected to be {wanted}", reached)


def test_one_that_cannot_be_read_at_once_is_buried_when_the_broker_is_back(broker: Broker):
    async def scenario() -> None:
        async with linked(broker) as link, Publisher(link) as window:
            async with bury_exhausted(DyingLink(link.client, link.hooks, broker=broker), window):
                sequence = await neglect(link, b"neglected")
                await until_connected(link, wanted=False)
                broker.start()
                await until_connected(link, wanted=True)
                found = await letter(link)
            assert (found.data, found.headers and found.headers["x-qiki-origin-seq"]) == (b"neglected", str(sequence))

    asyncio.run(scenario())


def test_neither_a_stranger_nor_one_too_large_ends_the_burying(broker: Broker):
    """The letter of a message that just fitted goes without its bytes."""

    async def scenario() -> None:
        async with linked(broker) as link, Publisher(link) as window:
            async with bury_exhausted(link, window):
                forged = [b'{"stream": "a.b", "stream_seq": 0, "consumer": "c", "deliveries": 1}']
                forged += [
                    b'{"stream": "%s", "stream_seq": %d, "consumer": "c", "deliveries": 1}' % (stream, sequence)
                    for stream in (b"QIKI_RADAR_V1", b"NOWHERE")
                    for sequence in (2**62, 10**30)
                ]
                for said in (b"", b"{}", *forged):
                    await link.client.publish(ADVISORIES.replace(">", "A.B"), said)
                largest = await neglect(link, b"x" * (4 * 2**20 - 60))
                first = await letter(link)
                sequence = await neglect(link, b"small")

                async def second() -> RawStreamMsg | None:
                    found = await letter(link)
                    return found if found.seq != first.seq else None

                last = await until_async("the second dead letter", second)
            assert (first.data, first.headers and first.headers["x-qiki-origin-seq"]) == (None, str(largest))
            assert (last.data, last.headers and last.headers["x-qiki-origin-seq"]) == (b"small", str(sequence))

    asyncio.run(scenario())


def test_it_ends_with_the_service_though_the_broker_is_away(broker: Broker):
    async def scenario() -> None:
        async with linked(broker) as link, Publisher(link) as window:
            async with bury_exhausted(DyingLink(link.client, link.hooks, broker=broker), window):
                await neglect(link, b"neglected")
                await until_connected(link, wanted=False)
            assert [one for one in asyncio.all_tasks() if "_bury_all" in repr(one)] == []

    asyncio.run(scenario())
