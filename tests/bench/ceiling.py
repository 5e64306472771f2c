"""The ceiling: a bare nats-py program that does what the bridge must do on the wire, and nothing else.

It pulls the frames in batches, publishes for each the same messages (number, bytes, headers), and acknowledges the
frame once they are stored. By fast ingest: one batch for all, commands that are ready, nothing sent again. Or, with
`each`, with nats-py's own publish under a window of 256. Prints frames per second, from the first fetch to the last
acknowledgement.

    python tests/bench/ceiling.py NATS_URL DURABLE MESSAGES.json batch|each
"""

import asyncio
import json
import os
import sys
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import uvloop
from clients import connect
from nats.aio.client import Client
from nats.aio.msg import Msg

BATCH = 100
WINDOW = 256
FLOW = 500
OUTSTANDING = 2
OVERLAP = 3  # pulled batches
Outgoing = tuple[str, str, dict[str, str]]
Carry = Callable[[Sequence[Msg], Sequence[list[Outgoing]]], Awaitable[None]]


class Ingest:
    """One batch of fast ingest; numbers come back as they are stored."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._inbox = client.new_inbox()
        self._prefix = f"{self._inbox}.bench.{FLOW}.fail"
        self._next = 1
        self._stored = 0
        self._flow = 0  # not known before the first answer
        self._moved = asyncio.Event()

    async def begin(self) -> None:
        """Listen to the answers."""
        await self._client.subscribe(f"{self._inbox}.>", cb=self._answered)
        await self._client.flush()

    async def _answered(self, message: Msg) -> None:
        answer = json.loads(message.data)
        if "error" in answer or answer.get("type") == "gap":
            sys.exit(f"the ceiling was refused: {answer}")
        self._stored = answer["count"] if "count" in answer else answer["seq"]
        self._flow = answer.get("msgs", self._flow)
        self._moved.set()

    async def send(self, commands: Sequence[tuple[str, bytes]], *, end: bool = False) -> int:
        """Write what may be outstanding; return the number of the last."""
        left = deque(commands)
        while left:
            room = self._stored + OUTSTANDING * max(self._flow, 1) - self._next + 1 if self._next > 1 else 1
            parts = []
            for _ in range(min(room, len(left))):
                subject, rest = left.popleft()
                operation = 2 if end and not left else int(self._next > 1)
                parts += [f"HPUB {subject} {self._prefix}.{self._next}.{operation}.$FI".encode(), rest]
                self._next += 1
            self._client._transport.write(b"".join(parts))
            if left:
                await self._wait()
        return self._next - 1

    async def _wait(self) -> None:
        self._moved.clear()
        await self._moved.wait()

    async def until_stored(self, number: int) -> None:
        """Wait for the answer to a message, or to one behind it."""
        while self._stored < number:
            await self._wait()


def command(subject: str, body: str, headers: dict[str, str]) -> tuple[str, bytes]:
    """The command but for its reply subject."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    head, text = f"NATS/1.0\r\n{lines}\r\n".encode(), body.encode()
    return subject, b" %d %d\r\n%b%b\r\n" % (len(head), len(head) + len(text), head, text)


async def main(url: str, durable: str, outgoing: list[list[Outgoing]], way: str) -> None:
    """Pull, publish, acknowledge."""
    client = await connect({**os.environ, "NATS_URL": url})
    jetstream = client.jetstream()
    subscription = await jetstream.pull_subscribe_bind(durable, "QIKI_RADAR_V1")
    carry = await batched(client, outgoing) if way == "batch" else each(client)
    begin = time.perf_counter()
    done = 0
    carrying: list[asyncio.Future[None]] = []
    while done < len(outgoing):
        messages = await subscription.fetch(BATCH, timeout=5)
        carrying.append(asyncio.ensure_future(carry(messages, outgoing[done : done + len(messages)])))
        done += len(messages)
        if len(carrying) > OVERLAP:
            await carrying[-OVERLAP - 1]
    await asyncio.gather(*carrying)
    await client.flush()
    print(f"{done / (time.perf_counter() - begin):.1f}")
    await client.close()


async def batched(client: Client, outgoing: list[list[Outgoing]]) -> Carry:
    """Carry by fast ingest; the last message of all ends the batch."""
    ingest = Ingest(client)
    await ingest.begin()
    ready = deque([command(*one) for one in messages] for messages in outgoing)
    lock = asyncio.Lock()

    async def carry(messages: Sequence[Msg], _: Sequence[list[Outgoing]]) -> None:
        async with lock:
            numbers = [await ingest.send(ready.popleft(), end=not ready) for _ in messages]
        for message, number in zip(messages, numbers, strict=True):
            await ingest.until_stored(number)
            await message.ack()

    return carry


def each(client: Client) -> Carry:
    """Carry with an acknowledgement for each message."""
    jetstream = client.jetstream(publish_async_max_pending=WINDOW)
    room = asyncio.Semaphore(WINDOW)

    async def publish(subject: str, body: str, headers: dict[str, str]) -> None:
        async with room:
            await jetstream.publish(subject, body.encode(), headers=headers)

    async def one(message: Msg, messages: list[Outgoing]) -> None:
        await asyncio.gather(*(publish(*one) for one in messages))
        await message.ack()

    async def carry(messages: Sequence[Msg], outgoing: Sequence[list[Outgoing]]) -> None:
        await asyncio.gather(*map(one, messages, outgoing))

    return carry


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], sys.argv[2], json.loads(Path(sys.argv[3]).read_text()), sys.argv[4]))
