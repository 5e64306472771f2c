"""The reader of a stream against the real broker: where it begins, what it takes, how it goes on after a break."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import nats
import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.api import StreamConfig

from qiki.runtime import stream
from qiki.runtime.stream import Begin, StreamPosition, StreamReader
from qiki_harness.errors import DeadlineError
from qiki_harness.http import open_url
from qiki_harness.testing import Broker, until, until_async
from qiki_harness.testing.processes import CONFIGURATION

STREAM = "NUMBERS"
DEADLINE_S = 60.0


@dataclass
class Reading:
    """A reader at work, and what it took."""

    broker: Broker
    client: Client = field(init=False)
    reader: StreamReader = field(init=False)
    taken: list[tuple[int, bytes]] = field(default_factory=list)

    def take(self, message: Msg, sequence: int) -> None:
        self.taken.append((sequence, message.data))

    @property
    def numbers(self) -> list[int]:
        return [int(body) for _, body in self.taken]

    async def store(self, numbers: Iterable[int], subject: str = "numbers.a", width: int = 0) -> None:
        client = await nats.connect(self.broker.url)
        jetstream = client.jetstream()
        await jetstream.add_stream(StreamConfig(name=STREAM, subjects=["numbers.*"]))
        for number in numbers:
            await jetstream.publish(subject, str(number).rjust(width).encode())
        await client.close()

    async def discard(self) -> None:
        client = await nats.connect(self.broker.url)
        await client.jetstream().delete_stream(STREAM)
        await client.close()

    async def purge(self) -> None:
        client = await nats.connect(self.broker.url)
        await client.jetstream().purge_stream(STREAM)
        await client.close()

    def cut_off(self) -> int:
        """How many clients the broker has cut off because they were slow."""
        with open_url(f"{self.broker.http_url}/varz") as answer:
            return int(json.load(answer)["slow_consumers"])

    async def remove_consumers(self) -> None:
        client = await nats.connect(self.broker.url)
        for one in await client.jetstream().consumers_info(STREAM):
            await client.jetstream().delete_consumer(STREAM, one.name)
        await client.close()

    async def lose(self, numbers: Iterable[int]) -> None:
        """Store these, have the broker send them, and break the connection before they are read."""
        transport = self.client._transport._io_writer.transport
        transport.pause_reading()
        await self.store(numbers)
        transport.abort()

        async def back() -> bool:
            return self.client.stats["reconnects"] > 0 and self.client.is_connected

        await until_async("the client to be back", back, DEADLINE_S)

    async def await_numbers(self, *numbers: int) -> None:
        """Until these have been taken, and nothing else."""

        async def enough() -> bool:
            return len(self.taken) >= len(numbers)

        await until_async(f"{numbers} to come", enough, DEADLINE_S)
        assert self.numbers == list(numbers)

    @asynccontextmanager
    async def begun(
        self,
        begin: Begin | StreamPosition | datetime = Begin.OLDEST,
        subjects: tuple[str, ...] = (),
        follows: bool = True,
        told: bool = True,
        cut: Callable[[int], object] = lambda _: None,
    ) -> AsyncIterator[None]:
        """A reader at work, which is told of breaks or is not."""
        self.client = client = Client()

        async def lost() -> None:
            if told:
                self.reader.lost()

        async def ignored(_: Exception) -> None:
            """That the broker is away is meant to be."""

        self.reader = StreamReader(client, STREAM, self.take, begin, subjects, cut=cut)
        await client.connect(
            self.broker.url,
            max_reconnect_attempts=-1,
            reconnect_time_wait=1,
            disconnected_cb=lost,
            error_cb=ignored,
        )
        running = asyncio.create_task(self.reader.run())
        if follows:
            await asyncio.wait_for(self.reader.following.wait(), DEADLINE_S)
        yield
        running.cancel()
        await asyncio.wait([running])
        await client.close()


Play = Callable[[Reading], Awaitable[None]]


@pytest.fixture
def reading(tmp_path: Path) -> Callable[[Play], None]:
    """Plays something with a reading, at a broker that cuts off whoever is 36 MB behind."""
    configuration = tmp_path / "nats.conf"
    configuration.write_text(CONFIGURATION.read_text() + "max_pending: 36MB\n")

    def run(play: Play) -> None:
        async def played(broker: Broker) -> None:
            async with asyncio.timeout(2 * DEADLINE_S):
                await play(Reading(broker))

        with Broker(tmp_path / "nats", configuration) as broker:
            asyncio.run(played(broker))

    return run


def test_the_oldest_comes_first(reading: Callable[[Play], None]):
    async def play(one: Reading) -> None:
        await one.store(range(3))
        async with one.begun():
            await one.store(range(3, 5))
            await one.await_numbers(*range(5))
        assert [sequence for sequence, _ in one.taken] == [1, 2, 3, 4, 5]

    reading(play)


def test_only_new_ones_come(reading: Callable[[Play], None]):
    async def play(one: Reading) -> None:
        await one.store(range(3))
        async with one.begun(Begin.NEW):
            await one.store(range(3, 5))
            await one.await_numbers(3, 4)

    reading(play)


def test_those_since_a_time_come(reading: Callable[[Play], None]):
    async def play(one: Reading) -> None:
        await one.store(range(3))
        async with one.begun(datetime.now(UTC)):
            await one.store(range(3, 5))
            await one.await_numbers(3, 4)

    reading(play)


@pytest.mark.parametrize("begin", [Begin.NEW, Begin.OLDEST])
def test_a_stream_that_is_made_later_is_read_from_its_beginning(reading: Callable[[Play], None], begin: Begin):
    async def play(one: Reading) -> None:
        async with one.begun(begin, follows=False):
            await one.store(range(3))
            await one.await_numbers(0, 1, 2)

    reading(play)


def test_what_is_stored_in_a_break_comes_though_nothing_had_come_before(reading: Callable[[Play], None]):
    async def play(one: Reading) -> None:
        await one.store(range(3))
        async with one.begun(Begin.NEW):
            one.broker.restart()
            await one.store(range(3, 5))
            await one.await_numbers(3, 4)

    reading(play)


def test_it_goes_on_behind_the_last_one(reading: Callable[[Play], None]):
    async def play(one: Reading) -> None:
        async with one.begun(Begin.NEW, follows=False):
            for number in range(3):
                await one.store([number])
                await one.await_numbers(*range(number + 1))
                one.broker.restart()

    reading(play)


@pytest.mark.parametrize(
    ("subjects", "expected", "later"),
    [
        ((), (0, 1, 2), (7, 8, 9)),
        (("numbers.b",), (1,), (8,)),
        (("numbers.a", "numbers.c"), (0, 2), (7, 9)),
    ],
)
def test_only_the_subjects_asked_for_come(
    reading: Callable[[Play], None], subjects: tuple[str, ...], expected: tuple[int, ...], later: tuple[int, ...]
):
    async def play(one: Reading) -> None:
        for number, letter in enumerate("abc"):
            await one.store([number], f"numbers.{letter}")
        async with one.begun(subjects=subjects):
            await one.await_numbers(*expected)
            one.broker.restart()
            await one.store([7], "numbers.c")
            await one.store([8], "numbers.b")
            await one.store([9], "numbers.a")
            await one.await_numbers(*expected, *later)

    reading(play)


def test_it_resumes_behind_a_position(reading: Callable[[Play], None]):
    async def play(one: Reading) -> None:
        await one.store(range(4))
        async with one.begun():
            await one.await_numbers(*range(4))
        created = one.reader.created
        assert created is not None
        one.taken.clear()
        async with one.begun(StreamPosition(created, 2)):
            await one.store([4])
            await one.await_numbers(2, 3, 4)

    reading(play)


def test_a_position_in_an_earlier_stream_counts_for_nothing(reading: Callable[[Play], None]):
    async def play(one: Reading) -> None:
        await one.store(range(3))
        async with one.begun(StreamPosition(datetime(2026, 1, 1, tzinfo=UTC), 2)):
            await one.await_numbers(0, 1, 2)

    reading(play)


def test_the_broker_is_held_back_while_a_message_is_awaited(reading: Callable[[Play], None]):
    """So a reader takes no more memory than it has messages in hand, and loses none over a break meanwhile."""

    async def play(one: Reading) -> None:
        going, take = asyncio.Event(), one.take

        async def take_late(message: Msg, sequence: int) -> None:
            await going.wait()
            take(message, sequence)

        one.take = take_late  # type: ignore[method-assign, assignment]
        await one.store(range(120), width=500_000)
        async with one.begun():
            one.broker.restart()
            await one.store(range(120, 122))
            assert one.taken == []
            going.set()
            await one.await_numbers(*range(122))
        assert one.cut_off() == 0

    reading(play)


def test_a_stream_made_anew_is_read_from_its_beginning(reading: Callable[[Play], None]):
    async def play(one: Reading) -> None:
        await one.store(range(5))
        async with one.begun():
            await one.await_numbers(*range(5))
            await one.discard()
            await one.store([5, 6])
            one.broker.restart()
            await one.await_numbers(*range(7))

    reading(play)


@dataclass
class Lost:
    """A broker of which an earlier store comes back: 0 and 1, and what took the places of the others."""

    reading: Reading
    replaced: Iterable[int]

    async def prepare(self) -> None:
        broker, store = self.reading.broker, self.reading.broker.log.parent / "jetstream"
        await self.reading.store(range(2))
        broker.kill()
        shutil.copytree(store, store.with_name("begun"))
        broker.start()
        await self.reading.store(self.replaced)
        broker.kill()
        store.rename(store.with_name("another"))
        store.with_name("begun").rename(store)
        broker.start()

    def come_back(self) -> None:
        broker, store = self.reading.broker, self.reading.broker.log.parent / "jetstream"
        broker.kill()
        shutil.rmtree(store)
        store.with_name("another").rename(store)
        broker.start()


@pytest.mark.parametrize("replaced", [(), (7,), (6, 7, 8, 9, 10)])
def test_what_takes_the_place_of_messages_that_the_broker_lost_comes(
    reading: Callable[[Play], None], replaced: tuple[int, ...]
):
    """Also where the broker has as many messages as before when the reader is back."""

    async def play(one: Reading) -> None:
        cut, lost = list[int](), Lost(one, replaced)
        await lost.prepare()
        await one.store(range(2, 6))
        async with one.begun(cut=cut.append):
            await one.await_numbers(*range(6))
            lost.come_back()
            await one.await_numbers(*range(6), *replaced)
            await one.store([11, 12])
            await one.await_numbers(*range(6), *replaced, 11, 12)
            assert cut == [2]

    reading(play)


@pytest.mark.parametrize("replaced", [(), (7,), (6, 7, 8, 9, 10)])
@pytest.mark.parametrize("subjects", [(), ("numbers.b",)])
def test_so_it_does_where_all_that_was_taken_is_lost(
    reading: Callable[[Play], None], replaced: tuple[int, ...], subjects: tuple[str, ...]
):
    async def play(one: Reading) -> None:
        cut, lost = list[int](), Lost(one, replaced)
        await lost.prepare()
        async with one.begun(Begin.NEW, subjects, cut=cut.append):
            await one.store(range(2, 5))
            await one.store([5], "numbers.b")
            took = [5] if subjects else [2, 3, 4, 5]
            await one.await_numbers(*took)
            lost.come_back()
            await one.store([12], "numbers.b")
            await one.await_numbers(*took, *(() if subjects else replaced), 12)
            assert cut == [2]

    reading(play)


def test_messages_that_were_discarded_are_not_lost(reading: Callable[[Play], None]):
    async def play(one: Reading) -> None:
        cut = list[int]()
        async with one.begun(cut=cut.append, follows=False):
            await one.store(range(3))
            await one.await_numbers(0, 1, 2)
            await one.purge()
            one.broker.restart()
            await one.store([3])
            await one.await_numbers(*range(4))
        assert cut == []

    reading(play)


def test_a_consumer_that_is_taken_away_at_the_server_is_made_anew(
    reading: Callable[[Play], None], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(stream, "LOOK_S", 0.1)

    async def play(one: Reading) -> None:
        await one.store(range(3))
        async with one.begun():
            await one.await_numbers(0, 1, 2)
            await one.remove_consumers()
            await one.store([3, 4])
            await one.await_numbers(*range(5))

    reading(play)


def test_what_newer_ones_overtake_after_a_break_still_comes_first(reading: Callable[[Play], None]):
    async def play(one: Reading) -> None:
        await one.store(range(2))
        async with one.begun(told=False):
            await one.await_numbers(0, 1)
            await one.lose(range(2, 5))
            await one.store([5])
            await one.await_numbers(*range(6))

    reading(play)


def test_the_last_ones_come_though_nothing_follows_that_shows_their_loss(
    reading: Callable[[Play], None], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(stream, "LOOK_S", 0.1)

    async def play(one: Reading) -> None:
        await one.store(range(2))
        async with one.begun(told=False):
            await one.await_numbers(0, 1)
            await one.lose(range(2, 5))
            await one.await_numbers(*range(5))

    reading(play)


def test_whoever_is_far_behind_is_not_cut_off(reading: Callable[[Play], None]):
    async def play(one: Reading) -> None:
        take = one.take

        def take_late(message: Msg, sequence: int) -> None:
            take(message, sequence)
            if sequence == 1:  # nothing is read until this returns
                with suppress(DeadlineError):
                    until("the broker cuts it off", one.cut_off, deadline_s=1.0)

        one.take = take_late  # type: ignore[method-assign]
        await one.store(range(120), width=500_000)
        async with one.begun():
            await one.await_numbers(*range(120))
        assert one.cut_off() == 0

    reading(play)
