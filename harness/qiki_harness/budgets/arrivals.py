"""The messages of a running stack as they arrive: how many, and how regularly."""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

from nats.aio.client import Client
from nats.aio.msg import Msg

from qiki.contracts import headers, topics
from qiki.contracts.control import CommandMessage, CommandMetadata, ControlAck
from qiki.contracts.topics import TOPICS, Topic
from qiki.runtime.identities.credentials import nats_options
from qiki.runtime.nats import new_client
from qiki_harness.budgets.calibration import jitter_ms
from qiki_harness.budgets.table import Flow
from qiki_harness.errors import HarnessError
from qiki_harness.testing.wait import until_async

_ANSWER_S = 10.0


class Arrivals:
    """The messages of one topic since `begin`. Those of one frame arrive when the first of them does."""

    def __init__(self, topic: Topic[Any]) -> None:
        self.topic = topic
        self.count = 0
        self._times_s: list[float] = []
        self._frame = ""

    def begin(self) -> None:
        """Forget what has come."""
        self.count = 0
        self._times_s = []

    async def take(self, message: Msg) -> None:
        """Note one message."""
        self.count += 1
        frame = (message.headers or {}).get(headers.FRAME, "")
        if not frame or frame != self._frame:
            self._times_s.append(time.monotonic())
        self._frame = frame

    def flow(self, span_s: float, idle_jitter_ms: float) -> Flow:
        """Return the rate, and the jitter above that of the machine."""
        rate = self.count / span_s
        if self.topic.rate_hz is None or self.topic.own:  # of several writers
            return Flow(per_s=rate)
        return Flow(per_s=rate, jitter_ms=max(0.0, jitter_ms(self._times_s) - idle_jitter_ms))


class Listener:
    """All topics that may be listened to: the receivers of requests are alone, so that a sender sees their absence."""

    def __init__(self, client: Client, table: Sequence[Topic[Any]] = TOPICS) -> None:
        self._client = client
        self._arrivals = {topic.subject: Arrivals(topic) for topic in table if not topic.answered}

    async def subscribe(self) -> None:
        """Listen from now on."""
        for subject, arrivals in self._arrivals.items():
            await self._client.subscribe(subject, cb=arrivals.take)
        await self._client.flush()

    async def start_world(self, speed: float) -> None:
        """Start the simulation; HarnessError if it is refused."""
        metadata = CommandMetadata(message_id=uuid4(), message_type="command", source="budgets")
        command = CommandMessage(command_name="sim.start", parameters={"speed": speed}, metadata=metadata)
        answer = await self._client.request(topics.COMMANDS.subject, command.to_json(), timeout=_ANSWER_S)
        if not (acknowledgement := ControlAck.from_json(answer.data)).ok:
            raise HarnessError(f"sim.start was refused: {acknowledgement.error_detail}")

    async def frames(self, count: int, deadline_s: float) -> None:
        """Wait for the notices of so many frames."""
        tracked = self._arrivals[topics.TRACKED.subject]

        async def come() -> bool:
            return tracked.count >= count

        await until_async(f"{count} frames to be tracked", come, deadline_s)

    def begin(self) -> None:
        """Begin to count."""
        for arrivals in self._arrivals.values():
            arrivals.begin()

    def flows(self, span_s: float, idle_jitter_ms: float) -> dict[str, Flow]:
        """Return what came since, by subject."""
        return {subject: one.flow(span_s, idle_jitter_ms) for subject, one in self._arrivals.items()}


@asynccontextmanager
async def listening(url: str, keys: str | None = None) -> AsyncIterator[Listener]:
    """Listen to a stack."""
    client = new_client()
    await client.connect(url, name="qiki budgets", **nats_options(keys, url))
    try:
        listener = Listener(client)
        await listener.subscribe()
        yield listener
    finally:
        await client.close()
