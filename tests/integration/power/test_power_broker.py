"""The broker's store loses its power: what an acknowledgement promises holds, and what is sent again is stored once."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import nats
import nats.errors
import pytest
from nats.aio.client import Client
from nats.js.api import AckPolicy, ConsumerConfig

from nats_js_init.settings import InitSettings
from nats_js_init.streams import apply, plan
from qiki.contracts import topics
from qiki.contracts.topics import LAST_S, Durability
from qiki_harness.power import Drive, Names
from qiki_harness.testing import Broker

SUBJECTS = {
    topics.QIKI_EVENTS_V1: "qiki.events.v1.test",
    topics.QIKI_DLQ_V1: topics.dead_letter_subject("test"),
    topics.QIKI_RADAR_V1: topics.FRAMES.subject,
    topics.QIKI_TRACKER_V1: topics.TRACKED.subject,
}
DURABILITY = {stream.name: stream.durability for stream in topics.STREAMS}
LATE_S = 4.0
"""By which a machine that does much else may sync later than declared."""
SIZES = (100, 1000, 60_000)
FRESH_STORE_EVERY = 40
"""Failures; a store that grows takes long to read."""
HEAD = "Nats-Msg-Id"


@dataclass
class Sent:
    """The messages of one stream: their sizes, and when each was acknowledged, by id."""

    sizes: dict[str, int] = field(default_factory=dict)
    acknowledged_s: dict[str, float] = field(default_factory=dict)


async def ignore(_: Exception) -> None:
    """The server goes away: that is meant."""


@contextlib.asynccontextmanager
async def client(broker: Broker) -> AsyncIterator[Client]:
    connection = await nats.connect(broker.url, allow_reconnect=False, error_cb=ignore)
    try:
        yield connection
    finally:
        with contextlib.suppress(nats.errors.Error):
            await connection.close()


class Store:
    """A broker whose power fails again and again, and all that was ever sent to it."""

    def __init__(self, drive: Drive, broker: Broker, chance: Random) -> None:
        self._drive, self._broker, self._chance = drive, broker, chance
        self.sent = {stream: Sent() for stream in SUBJECTS}
        self.lost_s = dict.fromkeys(SUBJECTS, 0.0)
        self._made_s = time.monotonic()

    async def begin(self) -> None:
        """Make the streams."""
        async with client(self._broker) as connection:
            await apply(connection.jetstream(), plan(InitSettings()))
        self._made_s = time.monotonic()

    async def fail(self, number: int) -> None:
        """Publish until the power fails, start again on what is left, and see what that is."""
        cut_s = await self._publish_until_cut(number)
        self._broker.kill()
        self._drive.restore()
        self._broker.start()
        async with client(self._broker) as connection:
            made = [
                one for one in await apply(connection.jetstream(), plan(InitSettings())) if one.action != "unchanged"
            ]
            assert not made or cut_s - self._made_s < LAST_S + LATE_S, f"streams or durables were lost: {made}"
            self._made_s = time.monotonic() if made else self._made_s
            found = await stored(connection)
            self._look(found, cut_s)
            await self._send_again(connection, found, cut_s)
            counts = await stored(connection)
        for stream, sent in self.sent.items():
            assert max(counts[stream].values(), default=1) == 1
            assert sent.acknowledged_s.keys() <= counts[stream].keys(), stream

    async def _publish_until_cut(self, number: int) -> float:
        async with client(self._broker) as connection:
            workers = [
                asyncio.create_task(self._publish(connection, stream, f"{number}:{worker}"))
                for stream in SUBJECTS
                for worker in range(2)
            ]
            await asyncio.sleep(self._chance.choice((0.05, 0.3, self._chance.uniform(0, 3))))
            await asyncio.to_thread(self._drive.cut, self._chance.randrange(2**32))
            cut_s = time.monotonic()
            self._broker.kill()
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
        return cut_s

    async def _publish(self, connection: Client, stream: str, prefix: str) -> None:
        sent, number = self.sent[stream], 0
        with contextlib.suppress(nats.errors.Error):
            while True:
                name, size = f"{prefix}:{number}", self._chance.choice(SIZES)
                sent.sizes[name] = size
                await self._store(connection, stream, name)
                number += 1
                await asyncio.sleep(self._chance.random() * 0.02)

    async def _store(self, connection: Client, stream: str, name: str) -> None:
        sent = self.sent[stream]
        answer = await connection.jetstream().publish(SUBJECTS[stream], bytes(sent.sizes[name]), headers={HEAD: name})
        if not answer.duplicate:
            sent.acknowledged_s[name] = time.monotonic()

    def _look(self, found: dict[str, Counter[str]], cut_s: float) -> None:
        """Compare what is stored with what was acknowledged."""
        for stream, sent in self.sent.items():
            ages_s = [cut_s - at_s for name, at_s in sent.acknowledged_s.items() if name not in found[stream]]
            self.lost_s[stream] = max([self.lost_s[stream], *ages_s])

    async def _send_again(self, connection: Client, found: dict[str, Counter[str]], cut_s: float) -> None:
        """Do as our publishers do after a lost connection: what is missing, and what is there, too."""
        for stream, sent in self.sent.items():
            for name, at_s in sent.acknowledged_s.items():
                if at_s > cut_s - LAST_S or name not in found[stream]:
                    await self._store(connection, stream, name)


async def stored(connection: Client) -> dict[str, Counter[str]]:
    """The number of copies of each message, by stream."""
    found = {}
    for stream, subject in SUBJECTS.items():
        config = ConsumerConfig(ack_policy=AckPolicy.NONE, headers_only=True, inactive_threshold=5.0)
        reader = await connection.jetstream().pull_subscribe(subject, stream=stream, config=config)
        left = (await reader.consumer_info()).num_pending or 0
        found[stream] = Counter[str]()
        while left > 0:
            for message in await reader.fetch(min(left, 500), timeout=30):
                found[stream][(message.headers or {})[HEAD]] += 1
                left -= 1
    return found


@pytest.mark.timeout(3600)
@pytest.mark.parametrize(("names", "part"), [(Names.JOURNAL, 1), (Names.STRICT, 3)])
def test_an_acknowledged_message_survives_as_declared(
    drive: Callable[..., Drive],
    tmp_path: Path,
    names: Names,
    part: int,
    cuts: int,
    chance: Random,
    figure: Callable[[str], None],
):
    async def fail_often(store: Store, numbers: range) -> None:
        await store.begin()
        for number in numbers:
            await store.fail(number)

    cuts = max(1, cuts // part)  # fewer of the rarer kind
    lost_s: dict[str, float] = dict.fromkeys(SUBJECTS, 0.0)
    acknowledged: Counter[str] = Counter()
    for first in range(0, cuts, FRESH_STORE_EVERY):
        disk = drive(tmp_path / f"disk-{first}", names)
        with Broker(disk.folder / "jetstream", log=tmp_path / "nats.log", watched=True) as broker:
            store = Store(disk, broker, chance)
            asyncio.run(fail_often(store, range(first, min(first + FRESH_STORE_EVERY, cuts))))
        disk.close()
        lost_s = {stream: max(worst_s, store.lost_s[stream]) for stream, worst_s in lost_s.items()}
        acknowledged += {stream: len(sent.acknowledged_s) for stream, sent in store.sent.items()}  # type: ignore[operator]
    for stream, worst_s in lost_s.items():
        figure(f"broker, {names} names, {stream}: {acknowledged[stream]} acknowledged, lost: the last {worst_s:.2f} s")
    for stream, worst_s in lost_s.items():
        synced = DURABILITY[stream] is Durability.POWER and names is Names.JOURNAL
        assert worst_s <= (0.0 if synced else LAST_S + LATE_S), stream
