"""The publisher against the real broker: all of it is stored once and in order, whatever becomes of the broker.

One suite for both ways into a stream, and for a stream that turns out to have no fast ingest.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nats.errors
import pytest
from nats.js.api import AckPolicy, ConsumerConfig

from qiki.contracts.headers import MESSAGE_ID, Message
from qiki.runtime import publisher as publisher_module
from qiki.runtime.health import Health
from qiki.runtime.nats import Link, connect
from qiki.runtime.publish_ledger import RESENT
from qiki.runtime.publisher import Publisher, RefusedError
from qiki.runtime.service import Service
from qiki.runtime.settings import ServiceSettings
from qiki_harness.testing import Broker, until_async
from qiki_harness.testing.processes import CONFIGURATION

SUBJECT = "numbers"
STREAM = "NUMBERS"
FAST = {"allow_batched": True}
LOSING = {"persist_mode": "async"}  # what was acknowledged last when it is killed


@dataclass(frozen=True)
class Bench:
    """A broker, and a way into the stream on it: with fast ingest or not, which the stream may have or not."""

    broker: Broker
    fast: bool
    stream: dict[str, Any]

    @asynccontextmanager
    async def linked(self) -> AsyncIterator[tuple[Service[ServiceSettings], Link]]:
        settings = ServiceSettings(nats_url=self.broker.url, nats_fast_ingest=self.fast)
        service = Service("publisher-test", settings, Health("publisher-test"))
        async with asyncio.timeout(60), connect(service) as link:
            yield service, link

    @asynccontextmanager
    async def publisher(self, link: Link, **options: Any) -> AsyncIterator[Publisher]:
        async with Publisher(link, streams={SUBJECT: STREAM}, **options) as publisher:
            yield publisher
            assert (publisher._window._next == 0) == (self.fast and "allow_batched" in self.stream)

    async def make(self, link: Link, **settings: Any) -> None:
        """Make the stream; nats-py's own configuration lacks the newer settings."""
        common = {"name": STREAM, "subjects": [SUBJECT], "storage": "file", "duplicate_window": 120 * 10**9}
        await api(link, f"STREAM.CREATE.{STREAM}", common | self.stream | settings)


async def api(link: Link, request: str, body: dict[str, Any]) -> None:
    answer = json.loads((await link.client.request(f"$JS.API.{request}", json.dumps(body).encode(), timeout=5)).data)
    assert "error" not in answer, answer


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    """Does not sync each message, which takes milliseconds: to kill it makes no difference."""
    configuration = tmp_path / "nats.conf"
    configuration.write_text(CONFIGURATION.read_text().replace('"always"', '"10s"'))
    with Broker(tmp_path / "nats", configuration) as running:
        yield running


WAYS = [(False, FAST), (True, FAST), (True, {}), (False, FAST | LOSING), (True, FAST | LOSING)]
IDS = ["window", "batch", "stream-without-batches", "window-async", "batch-async"]
THREE = pytest.mark.parametrize(("fast", "stream"), WAYS[:3], ids=IDS[:3])
FIVE = pytest.mark.parametrize(("fast", "stream"), WAYS, ids=IDS)


@pytest.fixture
def bench(broker: Broker, fast: bool, stream: dict[str, Any]) -> Bench:
    return Bench(broker, fast, stream)


def numbered(number: int, size: int = 0, **headers: str) -> Message:
    return Message(SUBJECT, str(number).rjust(size).encode(), {MESSAGE_ID: f"n{number}"} | headers)


async def send(publisher: Publisher, number: int, **headers: str) -> "asyncio.Future[None]":
    message = numbered(number, **headers)
    return await publisher.publish(message.subject, message.body, message.headers)


async def stored(link: Link) -> list[int]:
    """Bodies in the stream, in its order."""
    jetstream = link.jetstream
    count = (await jetstream.stream_info(STREAM)).state.messages
    reader = await jetstream.pull_subscribe(SUBJECT, stream=STREAM, config=ConsumerConfig(ack_policy=AckPolicy.NONE))
    numbers: list[int] = []
    while len(numbers) < count:
        numbers += [int(message.data) for message in await reader.fetch(500, timeout=10)]
    return numbers


def run(bench: Bench, scenario: Callable[[Service[ServiceSettings], Link], Awaitable[None]]) -> None:
    async def linked() -> None:
        async with bench.linked() as (service, link):
            await scenario(service, link)
            assert not service.failed.is_set()  # as by an error in a callback

    asyncio.run(linked())


@THREE
def test_writes_headers_as_the_client_does(bench: Bench):
    headers = {"x-blanks": "  a  b ", "x-breaks": "one\r\ntwo\nthree", "x-empty": "", "x-wide": "é ∞"}

    async def scenario(_: object, link: Link) -> None:
        received = await link.client.subscribe(SUBJECT)
        await bench.make(link)
        async with bench.publisher(link) as publisher:
            await link.client.publish(SUBJECT, b"1", headers=headers)
            await (await publisher.publish(SUBJECT, b"1", headers))
            of_client, of_publisher = [await received.next_msg() for _ in range(2)]
        assert (of_publisher.subject, of_publisher.data) == (SUBJECT, of_client.data)
        assert of_publisher.headers == of_client.headers

    run(bench, scenario)


@THREE
def test_keeps_the_order_of_single_messages_and_of_groups(bench: Bench):
    async def scenario(_: object, link: Link) -> None:
        await bench.make(link)
        async with bench.publisher(link) as publisher:
            for begin in range(0, 3000, 30):
                await send(publisher, begin)
                done = await publisher.publish_all([numbered(number) for number in range(begin + 1, begin + 30)])
                if begin % 90 == 0:
                    await done
                    assert (await link.jetstream.stream_info(STREAM)).state.messages == begin + 30
            await publisher.drained()
        assert await stored(link) == list(range(3000))

    run(bench, scenario)


@THREE
def test_a_group_larger_than_all_room_is_stored(bench: Bench):
    async def scenario(_: object, link: Link) -> None:
        await bench.make(link)
        async with bench.publisher(link, size=16) as publisher:
            await (await publisher.publish_all([numbered(number) for number in range(1000)]))
            await (await publisher.publish_all([]))
        assert await stored(link) == list(range(1000))

    run(bench, scenario)


class Sender:
    """Sends numbers until it is stopped, one by one or eleven at a time; never pauses."""

    def __init__(self, publisher: Publisher, grouped: bool) -> None:
        self._publisher = publisher
        self._step = 11 if grouped else 1
        self.sent = self.stored = 0
        self.stopping = False

    async def run(self) -> None:
        while not self.stopping:
            await asyncio.sleep(0)
            messages = [numbered(self.sent + n, 300) for n in range(self._step)]
            self.sent += self._step
            future = await (
                self._publisher.publish_all(messages) if self._step > 1 else publish(self._publisher, messages)
            )
            future.add_done_callback(self._done)

    def _done(self, _: "asyncio.Future[None]") -> None:
        self.stored += self._step

    async def until_stored(self, more: int) -> None:
        wanted = self.stored + more

        async def reached() -> bool:
            return self.stored >= wanted

        await until_async(f"{more} more to be stored", reached)


async def publish(publisher: Publisher, messages: Sequence[Message]) -> "asyncio.Future[None]":
    (message,) = messages
    return await publisher.publish(message.subject, message.body, message.headers)


@FIVE
@pytest.mark.parametrize("grouped", [False, True], ids=["single", "grouped"])
def test_many_kills_of_the_broker_cost_no_message_and_no_order(bench: Bench, grouped: bool):
    """With `persist_mode: async` a killed broker loses what it acknowledged last."""

    async def scenario(_: object, link: Link) -> None:
        await bench.make(link)
        async with bench.publisher(link) as publisher:
            sender = Sender(publisher, grouped)
            sending = asyncio.create_task(sender.run())
            for _ in range(8):
                await sender.until_stored(300)
                bench.broker.kill()
                await asyncio.to_thread(bench.broker.start)
            sender.stopping = True
            await sending
            await publisher.drained()
        assert await stored(link) == list(range(sender.sent))

    run(bench, scenario)


@THREE
def test_what_was_not_written_yet_does_not_overtake_what_was_lost(bench: Bench):
    """The broker hangs: what is in the socket is lost, the rest still lies in the client, or waits its turn."""

    async def scenario(_: object, link: Link) -> None:
        await bench.make(link)
        async with bench.publisher(link, size=2000, size_bytes=1 << 30) as publisher:
            await (await publisher.publish_all([numbered(number) for number in range(500)]))
            bench.broker.freeze()
            for begin in range(500, 700, 50):
                await publisher.publish_all([numbered(number, 100_000) for number in range(begin, begin + 50)])
            await until_async("some to be held back", lambda: holds_back(link, publisher))
            await asyncio.to_thread(bench.broker.restart)
            await (await publisher.publish_all([numbered(number) for number in range(700, 900)]))
        assert await stored(link) == list(range(900))

    run(bench, scenario)


async def holds_back(link: Link, publisher: Publisher) -> bool:
    transport: Any = link.client._transport
    unwritten = transport._io_writer.transport.get_write_buffer_size() > 1_000_000
    return unwritten or any(batch._waiting and batch._ending for batch in publisher._batches.values())


@THREE
def test_a_broker_that_is_slower_than_the_wait_for_its_answers_takes_it_all(bench: Bench):
    """Else all would be sent again for ever, one message further each time."""

    async def scenario(_: object, link: Link) -> None:
        await bench.make(link)
        async with bench.publisher(link, size=400, size_bytes=1 << 30, ack_wait_s=0.02) as publisher:
            messages = [numbered(number, 100_000) for number in range(400)]
            await (await publisher.publish_all(messages))
        assert await stored(link) == list(range(400))

    run(bench, scenario)


@THREE
@pytest.mark.parametrize("frozen_for", ["an answer", "the connection"])
def test_a_frozen_broker_costs_no_message_and_doubles_none(bench: Bench, frozen_for: str):
    """It takes what lies in its sockets when it thaws, after the same was sent again."""

    async def scenario(_: object, link: Link) -> None:
        async def lost() -> bool:
            return not link.client.is_connected

        async def sent_again() -> bool:
            return resent() > before

        await bench.make(link)
        async with bench.publisher(link, ack_wait_s=0.4) as publisher:
            sender = Sender(publisher, grouped=True)
            sending = asyncio.create_task(sender.run())
            for _ in range(2):
                await sender.until_stored(300)
                before = resent()
                bench.broker.freeze()
                await until_async("the loss", lost if frozen_for == "the connection" else sent_again)
                bench.broker.thaw()
            await sender.until_stored(600)
            sender.stopping = True
            await sending
            await publisher.drained()
        assert await stored(link) == list(range(sender.sent))

    run(bench, scenario)


def resent() -> float:
    return sum(sample.value for metric in RESENT.collect() for sample in metric.samples if "_total" in sample.name)


@THREE
def test_a_message_that_is_published_again_is_stored_once(bench: Bench):
    async def scenario(_: object, link: Link) -> None:
        await bench.make(link)
        async with bench.publisher(link) as publisher, Publisher(link, streams={SUBJECT: STREAM}) as other:
            await (await publisher.publish_all([numbered(number) for number in range(50)]))
            await (await other.publish_all([numbered(number) for number in range(60)]))  # the first and more are known
            await (await send(other, 59))
            await (
                await publisher.publish_all([numbered(number) for number in [*range(60, 70), 5]])
            )  # the last is known
            await (await publisher.publish_all([numbered(number) for number in range(70)]))  # all are known
        assert await stored(link) == list(range(70))

    run(bench, scenario)


@THREE
@pytest.mark.parametrize("group", [30, 600])
def test_publishers_into_one_stream_keep_each_its_order(bench: Bench, group: int):
    """The server lets a batch begin slowly while another one is open: it wants fewer messages than were sent."""

    async def scenario(_: object, link: Link) -> None:
        await bench.make(link)
        with_other = Publisher(link, size=2000, streams={SUBJECT: STREAM})
        async with bench.publisher(link, size=2000) as one, with_other as other:
            for begin in range(0, 3000, group):
                await one.publish_all([numbered(number) for number in range(begin, begin + group)])
                await other.publish_all([numbered(10_000 + number) for number in range(begin, begin + group)])
                await asyncio.sleep(0)
            await one.drained()
            await other.drained()
        numbers = await stored(link)
        assert [number for number in numbers if number < 10_000] == list(range(3000))
        assert [number for number in numbers if number >= 10_000] == list(range(10_000, 13_000))

    run(bench, scenario)


@THREE
def test_a_stream_that_is_missing_at_first_gets_everything_once_it_exists(bench: Bench):
    async def scenario(_: object, link: Link) -> None:
        async with bench.publisher(link, ack_wait_s=0.4) as publisher:
            early = [await send(publisher, number) for number in range(50)]
            await until_async("the server's word of it", lambda: held(publisher))
            assert not any(one.done() for one in early)
            await bench.make(link)
            late = [await send(publisher, number) for number in range(50, 80)]
            await asyncio.gather(*early, *late)
        assert await stored(link) == list(range(80))

    run(bench, scenario)


async def held(publisher: Publisher) -> bool:
    return any(way._held for way in publisher._ways)


@THREE
def test_a_stream_that_is_made_again_gets_all_that_was_not_stored_before(bench: Bench):
    """In order by fast ingest alone: else the new stream may take what comes behind a message that no stream took."""

    async def scenario(_: object, link: Link) -> None:
        await bench.make(link)
        async with bench.publisher(link, ack_wait_s=0.4) as publisher:
            sender = Sender(publisher, grouped=True)
            sending = asyncio.create_task(sender.run())
            for _ in range(3):
                await sender.until_stored(300)
                assert await link.jetstream.delete_stream(STREAM)
                acknowledged = sender.stored
                await bench.make(link)
            await sender.until_stored(300)
            sender.stopping = True
            await sending
            await publisher.drained()
        numbers = await stored(link)
        if not (bench.fast and "allow_batched" in bench.stream):
            numbers.sort()
        assert numbers == list(range(numbers[0], sender.sent))
        assert numbers[0] <= acknowledged + 256  # what was under way may have been stored in the deleted one

    run(bench, scenario)


@THREE
@pytest.mark.parametrize(("size", "size_bytes"), [(8, 1 << 20), (100, 8 * 1100)], ids=["messages", "bytes"])
def test_no_more_than_the_bound_is_in_flight(bench: Bench, size: int, size_bytes: int):
    async def scenario(_: object, link: Link) -> None:
        async with bench.publisher(link, size=size, size_bytes=size_bytes, ack_wait_s=0.4) as publisher:
            body, headers = bytes(1000), {MESSAGE_ID: "n0"}
            for number in range(8):
                await publisher.publish(SUBJECT, body, headers | {MESSAGE_ID: f"n{number}"})
            ninth = asyncio.create_task(publisher.publish(SUBJECT, body, headers | {MESSAGE_ID: "n8"}))
            done, _ = await asyncio.wait({ninth}, timeout=0.1)
            assert not done
            await bench.make(link)
            await (await ninth)
        assert (await link.jetstream.stream_info(STREAM)).state.messages == 9

    run(bench, scenario)


@THREE
def test_a_message_larger_than_the_bound_goes_alone(bench: Bench):
    async def scenario(_: object, link: Link) -> None:
        await bench.make(link)
        async with bench.publisher(link, size_bytes=1000) as publisher:
            await (await publisher.publish_all([numbered(number, 3000 * (number % 2)) for number in range(10)]))
        assert await stored(link) == list(range(10))

    run(bench, scenario)


@THREE
@pytest.mark.parametrize("room_for_headers", [0, 30])
def test_what_is_too_large_is_refused_at_once_and_costs_no_room(bench: Bench, room_for_headers: int):
    """The server counts the headers too, and cuts the connection of a client that sends more."""

    async def scenario(service: Service[ServiceSettings], link: Link) -> None:
        await bench.make(link)
        async with bench.publisher(link, size=1) as publisher:
            body = bytes(link.client.max_payload - room_for_headers)
            for _ in range(2):
                with pytest.raises(nats.errors.MaxPayloadError):
                    await publisher.publish(SUBJECT, body, {MESSAGE_ID: "x" * 30})
                with pytest.raises(nats.errors.MaxPayloadError):
                    await publisher.publish_all([numbered(0), Message(SUBJECT, body, {MESSAGE_ID: "x" * 30})])
            await (await send(publisher, 1))
        assert await stored(link) == [1]
        assert not service.health.problems

    run(bench, scenario)


@THREE
def test_the_largest_message_that_fits_is_stored(bench: Bench):
    async def scenario(_: object, link: Link) -> None:
        await bench.make(link)
        async with bench.publisher(link) as publisher:
            overhead = len(b"NATS/1.0\r\n") + len("Nats-Msg-Id: é\r\n".encode()) + len(b"\r\n")
            body = bytes(link.client.max_payload - overhead)
            await (await publisher.publish(SUBJECT, body, {MESSAGE_ID: "é"}))
        assert (await link.jetstream.stream_info(STREAM)).state.messages == 1

    run(bench, scenario)


@THREE
@pytest.mark.parametrize("refused", [(0,), (29,), (7, 8, 20)], ids=["first", "last", "between"])
def test_what_the_server_will_never_take_is_told_and_stops_nothing(
    bench: Bench, refused: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
):
    """Headers of more than 64 KB."""
    monkeypatch.setattr(publisher_module, "LATE_S", 1.0)  # it is told for so long
    large = {"x-large": "x" * 70_000}

    async def scenario(service: Service[ServiceSettings], link: Link) -> None:
        await bench.make(link)
        async with bench.publisher(link) as publisher:
            await (await send(publisher, 1000))
            group = [numbered(n, **(large if n in refused else {})) for n in range(30)]
            with pytest.raises(RefusedError, match="numbers: header size exceeds maximum allowed of 64k"):
                await (await publisher.publish_all(group))
            await until_async("the refusal to show", lambda: problem(service))
            assert "will never take a message on numbers" in service.health.problems["publishing"]
            await (await send(publisher, 1001))
            dropped = await send(publisher, 1002, **large)
            await publisher.drained()
            assert isinstance(dropped.exception(), RefusedError)
            await until_async("all to be well", lambda: no_problem(service))
        assert await stored(link) == [1000, *(number for number in range(30) if number not in refused), 1001]

    run(bench, scenario)


@THREE
@pytest.mark.parametrize(
    "text", [b"nonsense", b"[]", b"7", b'{"error":1}', b'{"error":{}}', b'{"type":"ack"}', b'{"batch":1}']
)
def test_an_answer_that_is_not_the_servers_is_ignored(bench: Bench, text: bytes):
    async def scenario(service: Service[ServiceSettings], link: Link) -> None:
        async with bench.publisher(link, ack_wait_s=0.4) as publisher:
            future = await send(publisher, 1)  # there is no stream yet
            await until_async("the server's word of it", lambda: held(publisher))
            for token in ("0", "x", *(f"{way.batch}.500.fail.1.2.$FI" for way in publisher._batches.values())):
                await link.client.publish(f"{publisher._wire.inbox}.{token}", text)
            await link.client.flush()
            assert not future.done()
            await bench.make(link)
            await future
            assert not service.failed.is_set()

    run(bench, scenario)


@THREE
def test_what_the_broker_has_no_room_for_counts_as_not_stored_and_shows_until_there_is(
    tmp_path: Path, fast: bool, stream: dict[str, Any]
):
    configuration = tmp_path / "nats.conf"
    text = CONFIGURATION.read_text()

    def limit(size: str) -> None:
        configuration.write_text(text.replace("16TB", size))

    async def scenario(service: Service[ServiceSettings], link: Link) -> None:
        await bench.make(link)
        async with bench.publisher(link, ack_wait_s=0.4) as publisher:
            futures = [await send(publisher, number) for number in range(200)]
            await until_async("the refusal to show", lambda: problem(service))
            assert service.health.problems == {"publishing": "NATS stores nothing: insufficient resources for 3 s"}
            assert not futures[-1].done()
            limit("16TB")
            await asyncio.to_thread(bench.broker.restart)
            await asyncio.gather(*futures)
            await until_async("all to be well", lambda: no_problem(service))
        assert await stored(link) == list(range(200))

    limit("4KB")
    with Broker(tmp_path / "nats", configuration) as broker:
        bench = Bench(broker, fast, stream)
        run(bench, scenario)


def test_a_stream_that_gets_fast_ingest_is_given_it_after_the_next_connection(broker: Broker):
    """Also one that loses it."""
    bench = Bench(broker, True, {})

    async def scenario(_: object, link: Link) -> None:
        await bench.make(link)
        async with Publisher(link, streams={SUBJECT: STREAM}) as publisher:
            await (await send(publisher, 0))
            assert not publisher._batches
            await change(link, allow_batched=True)
            await asyncio.to_thread(broker.restart)
            await (await send(publisher, 1))
            await (await publisher.publish_all([numbered(2), numbered(3)]))
            assert list(publisher._batches) == [STREAM]
            await change(link, allow_batched=False)
            await (await publisher.publish_all([numbered(4), numbered(5)]))
            assert not publisher._batches
        assert await stored(link) == list(range(6))

    run(bench, scenario)


async def change(link: Link, **settings: Any) -> None:
    config = json.loads((await link.client.request(f"$JS.API.STREAM.INFO.{STREAM}")).data)["config"]
    await api(link, f"STREAM.UPDATE.{STREAM}", config | settings)


def test_readiness_follows_the_connection(broker: Broker):
    async def scenario(service: Service[ServiceSettings], _: Link) -> None:
        assert service.health.problems == {}
        broker.kill()
        await until_async("the loss to be noticed", lambda: problem(service))
        assert service.health.problems == {"nats": "connection lost"}
        await asyncio.to_thread(broker.start)
        await until_async("the connection to be back", lambda: no_problem(service))

    run(Bench(broker, True, FAST), scenario)


async def problem(service: Service[ServiceSettings]) -> bool:
    return bool(service.health.problems)


async def no_problem(service: Service[ServiceSettings]) -> bool:
    return not service.health.problems


def test_an_error_of_the_watch_ends_what_publishes(broker: Broker, monkeypatch: pytest.MonkeyPatch):
    """Nothing would be sent again after it."""

    async def broken(_: Publisher) -> None:
        raise IndexError("a bug of ours")

    async def scenario(_: object, link: Link) -> None:
        monkeypatch.setattr(Publisher, "_check", broken)
        with pytest.raises(ExceptionGroup) as caught:
            async with Publisher(link):
                await asyncio.Event().wait()
        assert [str(one) for one in caught.value.exceptions] == ["a bug of ours"]

    run(Bench(broker, True, FAST), scenario)


def test_an_error_of_what_publishes_leaves_as_it_is(broker: Broker):
    async def scenario(_: object, link: Link) -> None:
        with pytest.raises(KeyError):
            async with Publisher(link):
                raise KeyError

    run(Bench(broker, True, FAST), scenario)
