"""Latency and throughput of the bridge, beside a bare program that carries the same messages."""

import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from clients import connect
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy, PersistMode, StreamConfig
from traffic import frames, paced, union

from q_sim_radar.backlog import Measured
from qiki.contracts import headers, topics

CEILING = Path(__file__).parent / "ceiling.py"
DEADLINE_S = 120


async def latency(
    addresses: Mapping[str, str], detections: int, count: int, rate_hz: float = 10.0
) -> tuple[float, float]:
    """From publishing a frame until its last track is received, p50 and p99 [ms]."""
    client = await connect(addresses)
    sent: dict[str, float] = {}
    last: dict[str, float] = {}

    async def received(message: Msg) -> None:
        last[message.headers[headers.FRAME]] = time.perf_counter()

    await client.subscribe(topics.TRACKS.subject, cb=received)
    jetstream = client.jetstream()
    async for number, measured in paced(enumerate(frames(detections, count)), rate_hz):
        message = union(measured)
        sent[str(number)] = time.perf_counter()
        await jetstream.publish(message.subject, message.body, headers=message.headers)
    await until(lambda: len(last) == count)
    await client.close()
    settled = sorted(1e3 * (last[frame] - sent[frame]) for frame in sent if int(frame) >= 10)
    return statistics.median(settled), settled[int(0.99 * len(settled))]


async def throughput(addresses: Mapping[str, str], detections: int, count: int, folder: Path) -> tuple[float, ...]:
    """Frames per second from the stream through the bridge, and through the bare program in its two ways."""
    client = await connect(addresses)
    measured = list(frames(detections, count))
    run = measured[0].origin.run
    tracked: dict[int, float] = {}
    tracks: dict[int, list[tuple[str, str, dict[str, str]]]] = defaultdict(list)

    async def done(message: Msg) -> None:
        if message.headers[headers.RUN] == run:
            number = int(message.headers[headers.FRAME])
            tracked[number] = time.perf_counter()
            tracks[number].append(copy(message))

    async def track(message: Msg) -> None:
        if message.headers[headers.RUN] == run:
            tracks[int(message.headers[headers.FRAME])].append(copy(message))

    await client.subscribe(topics.TRACKED.subject, cb=done)
    await client.subscribe(topics.TRACKS.subject, cb=track)
    await publish_all(client, measured)
    await until(lambda: len(tracked) == count)
    span_s = tracked[count - 1] - tracked[0]
    outgoing = [tracks[number] for number in range(count)]
    ceilings = [await bare(client, addresses, outgoing, folder, way) for way in ("batch", "each")]
    await client.close()
    return (count - 1) / span_s, *ceilings


def copy(message: Msg) -> tuple[str, str, dict[str, str]]:
    """The same message for another stream, where no id of it is known yet."""
    return f"bench.{message.subject}", message.data.decode(), dict(message.headers)


async def publish_all(client: Client, measured: list[Measured]) -> None:
    """Store all frames at once, faster than anybody reads them."""
    jetstream = client.jetstream(publish_async_max_pending=256)
    stored = [
        await jetstream.publish_async(message.subject, message.body, headers=message.headers)
        for message in map(union, measured)
    ]
    await asyncio.gather(*stored)


async def bare(
    client: Client,
    addresses: Mapping[str, str],
    outgoing: list[list[tuple[str, str, dict[str, str]]]],
    folder: Path,
    way: str,
) -> float:
    """Run the ceiling on the newest frames of the stream."""
    jetstream = client.jetstream()
    state = await jetstream.stream_info(topics.QIKI_RADAR_V1)
    count = len(outgoing)
    await jetstream.add_stream(
        StreamConfig(
            name="BENCH",
            subjects=["bench.>"],
            duplicate_window=120,
            allow_batched=True,
            persist_mode=PersistMode.ASYNC,
        )
    )
    first = state.state.last_seq
    left = count
    while left:
        message = await jetstream.get_msg(topics.QIKI_RADAR_V1, first)
        left -= message.subject == topics.FRAMES.subject
        first -= 1
    await jetstream.add_consumer(
        topics.QIKI_RADAR_V1,
        ConsumerConfig(
            durable_name="bench",
            filter_subject=topics.FRAMES.subject,
            ack_policy=AckPolicy.EXPLICIT,
            deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
            opt_start_seq=first + 1,
            max_ack_pending=512,
        ),
    )
    path = folder / "messages.json"
    path.write_text(json.dumps(outgoing))
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(CEILING),
        addresses["NATS_URL"],
        "bench",
        str(path),
        way,
        env={**os.environ, **addresses},
        stdout=subprocess.PIPE,
    )
    output, _ = await process.communicate()
    await jetstream.delete_consumer(topics.QIKI_RADAR_V1, "bench")
    await jetstream.delete_stream("BENCH")
    return float(output)


async def until(condition: object) -> None:
    """Wait for a condition, at most `DEADLINE_S`."""
    async with asyncio.timeout(DEADLINE_S):
        while not condition():
            await asyncio.sleep(0.01)
