"""The twin's reader against the real broker: nothing lost, nothing twice, whatever becomes of the broker."""

import asyncio
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial

import nats
import pytest
from nats.js.api import StreamConfig

from qiki.contracts import topics
from qiki.contracts.fields import Payload
from qiki.contracts.topics import Topic
from qiki.runtime.stream import Begin
from qiki_harness.testing import Broker
from qiki_harness.twin import AwaitedError
from qiki_harness.twin.backing import ForeignStack
from qiki_harness.twin.history import Ledger
from qiki_harness.twin.watcher import Watcher
from qiki_harness.twin.wire import Wire, newest


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


@pytest.mark.parametrize(("begin", "seen_numbers"), [(Begin.OLDEST, [0, 1, 2]), (Begin.NEW, [2])])
def test_it_begins_where_it_is_told_to(broker, begin, seen_numbers):
    store(broker.url, [0, 1])
    ledger = Ledger()
    with closing(Wire(broker.url, ledger, begin)) as wire:
        wire.open(20)
        watcher = Watcher(ForeignStack({"NATS_URL": broker.url}), ledger, wire)
        store(broker.url, [2])
        watcher.await_until("the last has come", lambda: watcher.frames()[-1:] and seen(watcher)[-1] == 2)

        assert seen(watcher) == seen_numbers


def test_each_stream_may_begin_where_it_is_told_to(broker):
    store(broker.url, [0, 1])
    ledger = Ledger()
    later = {topics.QIKI_RADAR_V1: datetime.now(UTC) + timedelta(hours=1)}
    with closing(Wire(broker.url, ledger, begin_of=later)) as wire:
        wire.open(20)

    assert not ledger.history(topics.FRAMES)


def test_it_leaves_no_consumer_behind(broker):
    store(broker.url, [0])
    with closing(Wire(broker.url, Ledger())) as wire:
        wire.open(20)
        assert wire.call(lambda _, jetstream: jetstream.consumers_info(topics.QIKI_RADAR_V1))

    async def consumers():
        client = await nats.connect(broker.url)
        found = await client.jetstream().consumers_info(topics.QIKI_RADAR_V1)
        await client.close()
        return found

    assert asyncio.run(consumers()) == []


class Beacon(Payload):
    """What new topics carry."""

    battery_v: float


KEPT = Topic("qiki.radar.v1.beacons", Beacon, "beacon", "a test", "kept", stream=topics.QIKI_RADAR_V1)
NOT_KEPT = Topic("qiki.beacons.v1", Beacon, "loose beacon", "a test", "not kept")


async def beacon(subject, client, _):
    await client.publish(subject, Beacon(battery_v=12.0).to_json())


def test_new_topics_pass_with_no_more_than_their_rows(broker):
    store(broker.url, [])
    ledger = Ledger((KEPT, NOT_KEPT))
    with closing(Wire(broker.url, ledger)) as wire:
        wire.open(20)
        watcher = Watcher(ForeignStack({"NATS_URL": broker.url}), ledger, wire)
        for topic in (KEPT, NOT_KEPT):
            wire.call(partial(beacon, topic.subject))

        assert watcher.await_message(KEPT, deadline_s=20).sequence == 1
        assert watcher.await_message(NOT_KEPT, battery_v=12.0, deadline_s=20).sequence == 0


def test_the_newest_of_a_stream_are_those_of_the_topic(broker, watcher):
    store(broker.url, range(5))
    wire = watcher._wire
    wire.call(lambda _, jetstream: jetstream.publish(topics.TRACKS.subject, b"{}"))
    wire.call(lambda _, jetstream: jetstream.delete_msg(topics.QIKI_RADAR_V1, 4))

    def sequences(topic, count):
        return [record.sequence for record in wire.call(lambda _, jetstream: newest(jetstream, topic, count))]

    assert sequences(topics.FRAMES, 4) == [3, 5]
    assert sequences(topics.FRAMES, 100) == [1, 2, 3, 5]
    assert sequences(topics.TRACKS, 1) == [6]
    wire.call(lambda _, jetstream: jetstream.purge_stream(topics.QIKI_RADAR_V1))
    assert sequences(topics.FRAMES, 3) == []


def test_what_the_broker_does_not_keep_is_seen_across_a_restart(broker, watcher):
    broker.restart()

    async def publish():
        client = await nats.connect(broker.url)
        await client.publish(topics.TRUTH.subject, b"{}")
        await client.close()

    def came():
        asyncio.run(publish())
        return watcher.truth()

    watcher.await_until("it has come", came)
    with pytest.raises(AwaitedError, match=r"connection broke at .*: what is not kept was missed"):
        watcher.await_acknowledgement(deadline_s=0)
