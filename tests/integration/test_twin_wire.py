"""The twin's reader against the real broker: nothing lost, nothing twice, whatever becomes of the broker."""

import asyncio

import nats
import pytest
from nats.js.api import StreamConfig

from qiki.contracts import topics
from qiki_harness.testing import Broker
from qiki_harness.twin import AwaitedError
from qiki_harness.twin.backing import ForeignStack
from qiki_harness.twin.history import Ledger
from qiki_harness.twin.watcher import Watcher
from qiki_harness.twin.wire import Wire


@pytest.fixture
def broker(tmp_path):
    with Broker(tmp_path / "nats") as running:
        yield running


@pytest.fixture
def watcher(broker):
    ledger = Ledger()
    wire = Wire(broker.url, ledger)
    wire.open(20)
    yield Watcher(ForeignStack({"NATS_URL": broker.url, "QSIM_GRPC": "127.0.0.1:1"}), ledger, wire)
    wire.close()


def store(url, numbers):
    """Keep numbers as frames, each once it is stored."""

    async def run():
        client = await nats.connect(url, max_reconnect_attempts=-1, reconnect_time_wait=0.05)
        jetstream = client.jetstream()
        await jetstream.add_stream(StreamConfig(name=topics.QIKI_RADAR_V1, subjects=["qiki.radar.v1.>"]))
        for number in numbers:
            await jetstream.publish(topics.FRAMES.subject, str(number).encode())
        await client.close()

    asyncio.run(run())


def seen(watcher):
    return [int(record.body) for record in watcher.frames()]


def test_what_was_there_before_is_there_when_it_is_open(broker):
    store(broker.url, range(500))
    ledger = Ledger()
    wire = Wire(broker.url, ledger)
    wire.open(20)
    watcher = Watcher(ForeignStack({"NATS_URL": broker.url, "QSIM_GRPC": ""}), ledger, wire)

    assert [record.sequence for record in watcher.frames()] == list(range(1, 501))
    wire.close()


@pytest.mark.parametrize("restarts", [1, 3])
def test_a_killed_broker_costs_it_nothing(broker, watcher, restarts):
    for number in range(restarts + 1):
        store(broker.url, range(100 * number, 100 * (number + 1)))
        if number < restarts:
            broker.restart()

    total = 100 * (restarts + 1)
    watcher.await_until("all have come", lambda: len(watcher.frames()) >= total)

    assert seen(watcher) == list(range(total))


def test_a_stream_that_is_made_later_is_read_from_its_beginning(broker, watcher):
    store(broker.url, range(10))

    watcher.await_until("all have come", lambda: len(watcher.frames()) >= 10)

    assert seen(watcher) == list(range(10))


def test_what_the_broker_does_not_keep_is_seen_across_a_restart(broker, watcher):
    broker.restart()

    async def publish():
        client = await nats.connect(broker.url)
        await client.publish(topics.TELEMETRY.subject, b"{}")
        await client.close()

    def came():
        asyncio.run(publish())
        return watcher.telemetry()

    watcher.await_until("it has come", came)
    with pytest.raises(AwaitedError, match=r"connection broke at .*: what is not kept was missed"):
        watcher.await_truth(deadline_s=0)
