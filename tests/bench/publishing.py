"""The two ways of publishing beside a bare program on fast ingest, with each setting of durability, in one run."""

import asyncio
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import nats
from ceiling import Ingest, command
from nats.js.api import PersistMode, StreamConfig
from traffic import paced

from qiki.contracts.headers import EncodedMessage, Message, cloud_event, on_the_wire
from qiki.runtime.health import Health
from qiki.runtime.nats import connect
from qiki.runtime.publisher import Publisher
from qiki.runtime.service import Service
from qiki.runtime.settings import ServiceSettings
from qiki_harness.testing import Broker
from qiki_harness.testing.processes import CONFIGURATION

FRAMES = 1000
SYNCED_FRAMES = 100  # where each message is synced before it is acknowledged
SLOW_FRAMES = 100
RATE_HZ = 50.0
MESSAGES = 11  # a frame
BODY = b"x" * 700
IN_FLIGHT = 1024
SETTINGS = (("10s", PersistMode.DEFAULT), ("always", PersistMode.ASYNC), ("always", PersistMode.DEFAULT))
WAYS = ("bare", "batch", "window")


def measure(folder: Path, runs: int) -> Iterator[str]:
    """Yield a line for each setting and way."""
    for sync, mode in SETTINGS:
        configuration = folder / f"nats-{sync}-{mode.value}.conf"
        text = CONFIGURATION.read_text()
        configuration.write_text(text.replace('sync_interval: "always"', f'sync_interval: "{sync}"'))
        rows: dict[str, list[tuple[float, float, float]]] = {way: [] for way in WAYS}
        for n in range(runs):
            for way in WAYS:
                with Broker(folder / f"{sync}-{mode.value}-{way}-{n}", configuration) as broker:
                    rows[way].append(asyncio.run(_one(broker.url, way, sync, mode)))
        for way, row in rows.items():
            rate, p50, p99 = (statistics.median(column) for column in zip(*row, strict=True))
            line = f"publishing, sync {sync}, persist_mode {mode.value}, {way:6}: {rate:.0f} frames/s of {MESSAGES}"
            yield line + ("" if way == "bare" else f"; a frame stored, p50 {p50:.2f} ms, p99 {p99:.2f} ms")


async def _one(url: str, way: str, sync: str, mode: PersistMode) -> tuple[float, float, float]:
    """Frames per second; and at a slow pace the time until a frame is stored, p50 and p99 [ms]."""
    count = SYNCED_FRAMES if (sync, mode) == SETTINGS[-1] else FRAMES
    client = await nats.connect(url)
    config = StreamConfig(name="B", subjects=["b.>"], duplicate_window=120, allow_batched=True, persist_mode=mode)
    await client.jetstream().add_stream(config)
    await client.close()
    if way == "bare":
        return await _bare(url, count), 0.0, 0.0
    service = Service("bench", ServiceSettings(nats_url=url, nats_fast_ingest=way == "batch"), Health("bench"))
    async with connect(service) as link, Publisher(link, size=IN_FLIGHT, streams={"b.>": "B"}) as publisher:
        service.stopping.set()  # quiet about the end of the connection
        frames = [_frame(number) for number in range(count)]
        begin = time.perf_counter()
        for messages in frames:
            await publisher.publish_all(messages)
            await asyncio.sleep(0)
        await publisher.drained()
        rate = count / (time.perf_counter() - begin)
        times = []
        async for number in paced(range(count, count + SLOW_FRAMES), RATE_HZ):
            messages = _frame(number)
            begin = time.perf_counter()
            await (await publisher.publish_all(messages))
            times.append(1e3 * (time.perf_counter() - begin))
    times.sort()
    return rate, statistics.median(times), times[int(0.99 * len(times))]


async def _bare(url: str, count: int) -> float:
    client = await nats.connect(url)
    ingest = Ingest(client)
    await ingest.begin()
    ready = [
        command(f"b.{n}", BODY.decode(), cloud_event(f"{frame}:{n}", "bench", "bench", "now"))
        for frame in range(count)
        for n in range(MESSAGES)
    ]
    begin = time.perf_counter()
    await ingest.until_stored(await ingest.send(ready, end=True))
    rate = count / (time.perf_counter() - begin)
    await client.close()
    return rate


def _frame(number: int) -> list[EncodedMessage]:
    return [
        on_the_wire(Message(f"b.{n}", BODY, cloud_event(f"{number}:{n}", "bench", "bench", "now")))
        for n in range(MESSAGES)
    ]
