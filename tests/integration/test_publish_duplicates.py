"""A message that the broker drops as a duplicate although nobody of ours sent it; and one that waits behind others."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from qiki.contracts.headers import MESSAGE_ID, Message
from qiki.runtime import publisher as publisher_module
from qiki.runtime.health import Health
from qiki.runtime.nats import Link, connect
from qiki.runtime.publish_duplicates import TAKEN, UNCOMPARED
from qiki.runtime.publisher import Publisher
from qiki.runtime.service import Service
from qiki.runtime.settings import ServiceSettings
from qiki_harness.testing import Broker, until_async

STREAM = "NUMBERS"
STREAMS = {"first": STREAM, "second": STREAM, "missing": "MISSING"}
WAYS = pytest.mark.parametrize("fast", [False, True], ids=["window", "batch"])


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    with Broker(tmp_path / "nats") as running:
        yield running


@asynccontextmanager
async def linked(broker: Broker, fast: bool) -> AsyncIterator[tuple[Service[ServiceSettings], Link]]:
    """A connection, and the stream."""
    service = Service("test", ServiceSettings(nats_url=broker.url, nats_fast_ingest=fast), Health("test"))
    async with asyncio.timeout(40), connect(service) as link:
        settings = {"name": STREAM, "subjects": ["first", "second"], "allow_batched": True, "allow_direct": True}
        body = json.dumps(settings | {"duplicate_window": 120 * 10**9}).encode()
        answer = await link.client.request(f"$JS.API.STREAM.CREATE.{STREAM}", body, timeout=5)
        assert "error" not in json.loads(answer.data)
        yield service, link


def of(number: int, subject: str = "first", word: str = "ours", at: str = "now") -> Message:
    body = json.dumps({"number": number, "word": word, "ts_ingest": at}, separators=(",", ":"))
    return Message(subject, body.encode(), {MESSAGE_ID: f"n{number}"})


async def play(link: Link, *messages: Message) -> None:
    """Store messages as somebody else does."""
    for one in messages:
        await link.jetstream.publish(one.subject, one.body, headers=dict(one.headers))


def count(counter: Any) -> float:
    value: float = counter._value.get()
    return value


@WAYS
@pytest.mark.parametrize("played", [of(5, word="forged"), of(5, subject="second")], ids=["body", "subject"])
def test_an_id_that_was_played_first_is_alarmed(broker: Broker, fast: bool, played: Message):
    async def scenario() -> None:
        before = count(TAKEN)
        async with linked(broker, fast) as (service, link):
            await play(link, played)
            async with Publisher(link, streams=STREAMS, checked={"first"}) as publisher:
                with capture_logs() as lines:
                    await (await publisher.publish_all([of(number) for number in range(10)]))
                    await until_async("the alarm", lambda: alarmed(before + 1))
            (line,) = [one for one in lines if one["log_level"] == "error"]
            assert (line["subject"], line["message_id"], line["stored_sequence"]) == ("first", "n5", 1)
            events = [json.loads(one.body) for one in waiting(service) if one.subject.endswith("message_id")]
            assert [(one["message_id"], one["stream"], one["source"]) for one in events] == [("n5", STREAM, "test")]

    asyncio.run(scenario())


def waiting(service: Service) -> list[Message]:
    queue, found = service.events._waiting, []
    while first := queue.first():
        found.append(first[1])
        queue.remove(first[0])
    return found


async def alarmed(wanted: float) -> bool:
    return count(TAKEN) == wanted


@WAYS
def test_what_a_predecessor_sent_is_no_alarm(broker: Broker, fast: bool):
    """Nor is what this process sends again."""

    async def scenario() -> None:
        before = count(TAKEN), count(UNCOMPARED)
        async with linked(broker, fast) as (_, link):
            await play(link, *(of(number, at="before") for number in range(10)))
            async with Publisher(link, streams=STREAMS, checked={"first"}) as publisher:
                await (await publisher.publish_all([of(number) for number in range(12)]))
                broker.kill()
                await asyncio.to_thread(broker.start)
                await (await publisher.publish_all([of(number) for number in range(12, 20)]))
                await until_async("all to be compared", lambda: asyncio.sleep(0, not publisher._duplicates._found))
        assert (count(TAKEN), count(UNCOMPARED)) == before

    asyncio.run(scenario())


@WAYS
def test_one_stream_that_takes_nothing_shows_although_another_one_does(
    broker: Broker, fast: bool, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(publisher_module, "LATE_S", 1.0)

    async def scenario() -> None:
        options: dict[str, Any] = {"streams": STREAMS, "ack_wait_s": 0.4}
        async with linked(broker, fast) as (service, link), Publisher(link, **options) as publisher:
            await (await publisher.publish_all([of(0), of(1)]))
            waits = await publisher.publish("missing", b"", {MESSAGE_ID: "m"})
            number = 2
            while not service.health.problems:
                if fast:  # without it all of them wait behind the one
                    await (await publisher.publish_all([of(number)]))
                number += 1
                await asyncio.sleep(0.02)
            assert "NATS stores nothing" in service.health.problems["publishing"]
            assert not waits.done()

    asyncio.run(scenario())
