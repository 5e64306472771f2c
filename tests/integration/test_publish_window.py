"""The publish window against the real broker: all of it is stored once and in order, whatever becomes of the broker."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import nats.errors
import pytest
from nats.js.api import AckPolicy, ConsumerConfig, StreamConfig

from qiki.contracts.headers import MESSAGE_ID
from qiki.runtime.health import Health
from qiki.runtime.nats import Link, connect
from qiki.runtime.publish_window import PublishWindow
from qiki.runtime.service import Service
from qiki.runtime.settings import ServiceSettings
from qiki_harness.testing import Broker, until_async
from qiki_harness.testing.processes import CONFIGURATION

SUBJECT = "numbers"
STREAM = StreamConfig(name="NUMBERS", subjects=[SUBJECT], duplicate_window=120, allow_direct=True)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    with Broker(tmp_path / "nats") as running:
        yield running


@asynccontextmanager
async def linked(broker: Broker) -> AsyncIterator[tuple[Service[ServiceSettings], Link]]:
    service = Service("window-test", ServiceSettings(nats_url=broker.url), Health("window-test"))
    async with asyncio.timeout(60), connect(service) as link:
        yield service, link


async def send(window: PublishWindow, number: int) -> "asyncio.Future[None]":
    return await window.publish(SUBJECT, str(number).encode(), {MESSAGE_ID: f"n{number}"})


async def stored(link: Link) -> list[int]:
    """Bodies in the stream, in its order."""
    jetstream = link.jetstream
    count = (await jetstream.stream_info("NUMBERS")).state.messages
    reader = await jetstream.pull_subscribe(SUBJECT, stream="NUMBERS", config=ConsumerConfig(ack_policy=AckPolicy.NONE))
    numbers: list[int] = []
    while len(numbers) < count:
        numbers += [int(message.data) for message in await reader.fetch(500, timeout=10)]
    return numbers


def test_writes_headers_as_the_client_does(broker: Broker):
    headers = {"x-blanks": "  a  b ", "x-breaks": "one\r\ntwo\nthree", "x-empty": "", "x-wide": "é ∞"}

    async def scenario() -> None:
        async with linked(broker) as (_, link):
            received = await link.client.subscribe("numbers.*")
            await link.jetstream.add_stream(StreamConfig(name="NUMBERS", subjects=["numbers.*"]))
            async with PublishWindow(link) as window:
                await link.client.publish("numbers.client", b"1", headers=headers)
                await (await window.publish("numbers.window", b"1", headers))
                of_client, of_window = [await received.next_msg() for _ in range(2)]
            assert (of_window.subject, of_window.data) == ("numbers.window", of_client.data)
            assert of_window.headers == of_client.headers

    asyncio.run(scenario())


def test_keeps_the_order(broker: Broker):
    async def scenario() -> None:
        async with linked(broker) as (_, link):
            await link.jetstream.add_stream(STREAM)
            async with PublishWindow(link) as window:
                futures = [await send(window, number) for number in range(1000)]
                await asyncio.gather(*futures)
            assert await stored(link) == list(range(1000))

    asyncio.run(scenario())


@pytest.mark.parametrize("killed_at", [(1500,), (800, 3200)])
def test_a_killed_broker_costs_no_message_and_no_order(broker: Broker, killed_at: tuple[int, ...]):
    """The sender never pauses: it goes on while the broker is away, and while it comes back."""

    async def scenario() -> None:
        async with linked(broker) as (_, link):
            await link.jetstream.add_stream(STREAM)
            async with PublishWindow(link) as window:
                restarts = []
                for number in range(5000):
                    if number in killed_at:
                        restarts.append(asyncio.create_task(asyncio.to_thread(broker.restart)))
                    await send(window, number)
                await asyncio.gather(*restarts)
                await window.drained()
            assert await stored(link) == list(range(5000))

    asyncio.run(scenario())


def test_what_the_client_had_not_written_yet_does_not_overtake_what_was_lost(broker: Broker):
    """The broker hangs until the socket is full: what is in it is lost, the rest still lies in the client."""

    async def scenario() -> None:
        async with linked(broker) as (_, link):
            await link.jetstream.add_stream(STREAM)
            async with PublishWindow(link, size=2000) as window:
                frozen = asyncio.Event()

                def freeze() -> None:
                    broker.freeze()
                    frozen.set()

                sender = asyncio.create_task(burst(window, 3000, 1000, freeze))
                await frozen.wait()  # a burst alone makes the client hold some back for a moment
                await until_async("the client to hold some back", lambda: holds_back(link))
                await asyncio.to_thread(broker.restart)
                await sender
                await window.drained()
            numbers = await stored(link)
            assert numbers == list(range(3000))

    asyncio.run(scenario())


async def burst(window: PublishWindow, count: int, at: int, happens: Callable[[], None]) -> None:
    for number in range(count):
        if number == at:
            happens()
        await window.publish(SUBJECT, str(number).rjust(20_000).encode(), {MESSAGE_ID: f"n{number}"})
        await asyncio.sleep(0)  # the client's own tasks have their turn


async def holds_back(link: Link) -> bool:
    return link.client.pending_data_size > 1_000_000


def test_a_stream_that_is_missing_at_first_gets_everything_once_it_exists(broker: Broker):
    async def scenario() -> None:
        async with linked(broker) as (_, link):
            async with PublishWindow(link, ack_wait_s=0.4) as window:
                early = [await send(window, number) for number in range(50)]
                done, _ = await asyncio.wait(early, timeout=0.05)
                assert not done
                await link.jetstream.add_stream(STREAM)
                late = [await send(window, number) for number in range(50, 80)]
                await asyncio.gather(*early, *late)
            assert await stored(link) == list(range(80))

    asyncio.run(scenario())


def test_no_more_than_the_window_is_in_flight(broker: Broker):
    async def scenario() -> None:
        async with linked(broker) as (_, link):
            async with PublishWindow(link, size=8, ack_wait_s=0.4) as window:
                for number in range(8):
                    await send(window, number)
                ninth = asyncio.create_task(send(window, 8))
                done, _ = await asyncio.wait({ninth}, timeout=0.1)
                assert not done
                await link.jetstream.add_stream(STREAM)
                await (await ninth)
            assert await stored(link) == list(range(9))

    asyncio.run(scenario())


@pytest.mark.parametrize("room_for_headers", [0, 30])
def test_what_no_server_takes_is_refused_at_once_and_costs_no_room(broker: Broker, room_for_headers: int):
    """The server counts the headers too, and cuts the connection of whoever sends more."""

    async def scenario() -> None:
        async with linked(broker) as (service, link):
            await link.jetstream.add_stream(STREAM)
            async with PublishWindow(link, size=1) as window:
                body = bytes(link.client.max_payload - room_for_headers)
                for _ in range(2):
                    with pytest.raises(nats.errors.MaxPayloadError):
                        await window.publish(SUBJECT, body, {MESSAGE_ID: "x" * 30})
                await (await send(window, 1))
            assert await stored(link) == [1]
            assert not service.health.problems

    asyncio.run(scenario())


def test_the_largest_message_that_fits_is_stored(broker: Broker):
    async def scenario() -> None:
        async with linked(broker) as (_, link):
            await link.jetstream.add_stream(STREAM)
            async with PublishWindow(link) as window:
                headers = {MESSAGE_ID: "é"}
                overhead = len(b"NATS/1.0\r\n") + len("Nats-Msg-Id: é\r\n".encode()) + len(b"\r\n")
                await (await window.publish(SUBJECT, bytes(link.client.max_payload - overhead), headers))

    asyncio.run(scenario())


@pytest.mark.parametrize("text", [b"nonsense", b"[]", b'{"error":1}', b'{"error":{}}'])
def test_an_answer_that_is_not_the_servers_is_ignored(broker: Broker, text: bytes):
    async def scenario() -> None:
        async with linked(broker) as (service, link), PublishWindow(link, ack_wait_s=0.4) as window:
            future = await send(window, 1)  # there is no stream yet
            await link.client.publish(f"{window._inbox}.0", text)
            await link.client.flush()
            assert not future.done()
            await link.jetstream.add_stream(STREAM)
            await future
            assert not service.failed.is_set()

    asyncio.run(scenario())


def test_what_the_broker_refuses_counts_as_not_stored_and_shows_until_there_is_room(tmp_path: Path):
    """Its refusal has a sequence too, which is 0."""
    configuration = tmp_path / "nats.conf"
    text = CONFIGURATION.read_text()

    def limit(size: str) -> None:
        configuration.write_text(text.replace("16TB", size))

    async def scenario(broker: Broker) -> None:
        async with linked(broker) as (service, link):
            await link.jetstream.add_stream(STREAM)
            async with PublishWindow(link, ack_wait_s=0.4) as window:
                futures = [await send(window, number) for number in range(200)]
                await until_async("the refusal to show", lambda: problem(service))
                assert service.health.problems == {"publishing": "NATS stores nothing: insufficient resources for 3 s"}
                assert not futures[-1].done()
                limit("16TB")
                await asyncio.to_thread(broker.restart)
                await asyncio.gather(*futures)
                await until_async("all to be well", lambda: no_problem(service))
            assert await stored(link) == list(range(200))

    limit("4KB")
    with Broker(tmp_path / "nats", configuration) as broker:
        asyncio.run(scenario(broker))


def test_readiness_follows_the_connection(broker: Broker):
    async def scenario() -> None:
        async with linked(broker) as (service, _):
            assert service.health.problems == {}
            broker.kill()
            await until_async("the loss to be noticed", lambda: problem(service))
            assert service.health.problems == {"nats": "connection lost"}
            await asyncio.to_thread(broker.start)
            await until_async("the connection to be back", lambda: no_problem(service))

    asyncio.run(scenario())


async def problem(service: Service[ServiceSettings]) -> bool:
    return bool(service.health.problems)


async def no_problem(service: Service[ServiceSettings]) -> bool:
    return not service.health.problems


def test_an_error_of_the_watch_ends_what_publishes(broker: Broker, monkeypatch: pytest.MonkeyPatch):
    """Nothing would be sent again after it."""

    async def broken(_: PublishWindow) -> None:
        raise IndexError("a bug of ours")

    async def scenario() -> None:
        monkeypatch.setattr(PublishWindow, "_resend_late", broken)
        async with linked(broker) as (_, link):
            with pytest.raises(ExceptionGroup) as caught:
                async with PublishWindow(link):
                    await asyncio.Event().wait()
            assert [str(one) for one in caught.value.exceptions] == ["a bug of ours"]

    asyncio.run(scenario())


def test_an_error_of_what_publishes_leaves_as_it_is(broker: Broker):
    async def scenario() -> None:
        async with linked(broker) as (_, link):
            with pytest.raises(KeyError):
                async with PublishWindow(link):
                    raise KeyError

    asyncio.run(scenario())
