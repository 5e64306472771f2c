"""The ceiling: a bare nats-py program that does what the bridge must do on the wire, and nothing else.

It pulls the frames in batches, publishes for each the same messages (number, bytes, headers) with a window of 256,
and acknowledges the frame once they are stored. Prints frames per second, from the first fetch to the last
acknowledgement.

    python tests/bench/ceiling.py NATS_URL DURABLE MESSAGES.json
"""

import asyncio
import json
import sys
import time
from pathlib import Path

import nats
import uvloop
from nats.aio.msg import Msg

BATCH = 100
WINDOW = 256


async def main(url: str, durable: str, outgoing: list[list[tuple[str, str, dict[str, str]]]]) -> None:
    """Pull, publish, acknowledge."""
    client = await nats.connect(url)
    jetstream = client.jetstream(publish_async_max_pending=WINDOW)
    subscription = await jetstream.pull_subscribe_bind(durable, "QIKI_RADAR_V1")
    room = asyncio.Semaphore(WINDOW)
    begin = time.perf_counter()

    async def publish(subject: str, body: str, headers: dict[str, str]) -> None:
        async with room:
            await jetstream.publish(subject, body.encode(), headers=headers)

    async def carry(message: Msg, messages: list[tuple[str, str, dict[str, str]]]) -> None:
        await asyncio.gather(*(publish(*one) for one in messages))
        await message.ack()

    done = 0
    while done < len(outgoing):
        batch = await subscription.fetch(BATCH, timeout=5)
        await asyncio.gather(*(carry(message, outgoing[done + n]) for n, message in enumerate(batch)))
        done += len(batch)
    print(f"{done / (time.perf_counter() - begin):.1f}")
    await client.close()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], sys.argv[2], json.loads(Path(sys.argv[3]).read_text())))
