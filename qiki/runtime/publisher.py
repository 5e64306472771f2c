"""Messages into streams: in order within a stream, each once, sent again until it is stored.

By fast ingest where server and stream have it, else with an acknowledgement for each message. Order across streams is
for the caller, who waits where it matters.
"""

import asyncio
import contextlib
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from functools import lru_cache
from typing import Any, Self

import nats.errors
from nats.aio.msg import Msg

from qiki.contracts.headers import EncodedMessage, Message, encoded, on_the_wire
from qiki.contracts.topics import STREAMS
from qiki.runtime.nats import Link
from qiki.runtime.publish_batch import PublishBatch
from qiki.runtime.publish_duplicates import DuplicateCheck
from qiki.runtime.publish_ledger import Ledger, Wire, read_answer
from qiki.runtime.publish_room import Outgoing, Receipt, RefusedError, Room
from qiki.runtime.publish_window import PublishWindow
from qiki.runtime.tasks import background, end_if_cancelled

__all__ = ["Publisher", "RefusedError"]
LATE_S = 3.0
OLD_S = 10.0
CLOSE_S = 0.5
SIZE_BYTES = 16 << 20
OF_STREAMS = {subjects: stream.name for stream in STREAMS for subjects in stream.subjects}
"""Subjects, with or without `>` at the end, to the stream that keeps them."""
Way = PublishWindow | PublishBatch
Recover = Callable[[Collection[str]], Awaitable[Sequence[Message | EncodedMessage]]]


class Publisher:
    """Up to `size` messages and `size_bytes` in flight on one connection; more wait for room.

    Args:
        ack_wait_s: time without an answer after which a message is sent again
        streams: which stream keeps which subjects; messages on others go without fast ingest
        checked: subjects of which every message is looked at when the server has it already (`publish_duplicates`); of
            the others only those of which the server says so
        recover: called after each reconnect, before anything is sent, with the ids of all messages that will be: the
            unstored ones, and those stored last; returns messages to be sent before them
    """

    def __init__(
        self,
        link: Link,
        size: int = 256,
        size_bytes: int = SIZE_BYTES,
        ack_wait_s: float = 2.0,
        streams: Mapping[str, str] = OF_STREAMS,
        checked: Collection[str] = (),
        recover: Recover | None = None,
    ) -> None:
        self._link = link
        self._size_bytes = size_bytes
        self._ack_wait_s = ack_wait_s
        self._loop = asyncio.get_running_loop()
        self._wire = Wire(link.client)
        self._room = Room(size, size_bytes)
        self._duplicates = DuplicateCheck(link.client, link.emit)
        self._ledger = Ledger(self._room, self._wire, self._duplicates.note)
        self._checked = checked
        self._window = PublishWindow(self._ledger, ack_wait_s, size_bytes)
        self._batches: dict[str, PublishBatch] = {}
        self._without: set[str] = set()  # streams without fast ingest
        self._stream_of = lru_cache(256)(lambda subject: _stream_of(subject, streams))
        self._due: set[Way] = set()
        self._back_s = time.monotonic()  # time since which the connection is there
        self._recover = recover
        self._recovering = False  # everything is held
        self._reconnected = asyncio.Event()

    async def __aenter__(self) -> Self:
        await self._link.client.subscribe(f"{self._wire.inbox}.>", cb=self._answered)
        self._link.hooks.on_lost.append(self._lost)
        self._link.hooks.on_restored.append(self._restored)
        self._watch = contextlib.AsyncExitStack()
        watching = [self._check(), self._duplicates.run()]
        if self._recover is not None:
            watching.append(self._recovery(self._recover))
        for work in watching:
            await self._watch.enter_async_context(background(work))
        return self

    async def __aexit__(self, *error: Any) -> None:
        self._pump()
        if self._wire.connected and not any(error):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_S):
                    await self.drained()
        await self._watch.__aexit__(*error)

    async def publish(self, subject: str, body: bytes, headers: Mapping[str, str]) -> "asyncio.Future[None]":
        """Send soon, with what else comes in this turn of the loop; return the promise that it is stored.

        Raises:
            nats.errors.MaxPayloadError: larger than the server takes, headers included.
        """
        receipt = Receipt(1)
        outgoing = self._outgoing(EncodedMessage(subject, encoded(headers), body), receipt)
        if not self._room.take(1, len(outgoing.rest)):
            await self._room.wait(len(outgoing.rest))
        way = self._way(subject)
        way.add(outgoing)
        if not self._due:
            self._loop.call_soon(self._pump)
        self._due.add(way)
        return receipt.stored

    async def publish_all(self, messages: Sequence[Message | EncodedMessage]) -> "asyncio.Future[None]":
        """Send in order and at once; return the promise that all are stored.

        Raises:
            nats.errors.MaxPayloadError: one is larger than the server takes, headers included; none is sent.
        """
        receipt = Receipt(len(messages))
        ready = [self._outgoing(on_the_wire(message), receipt) for message in messages]
        roomy = self._room.take(len(ready), sum(len(outgoing.rest) for outgoing in ready))
        for outgoing in ready:
            if not roomy and not self._room.take(1, len(outgoing.rest)):
                self._pump()
                await self._room.wait(len(outgoing.rest))
            way = self._way(outgoing.subject)
            way.add(outgoing)
            self._due.add(way)
        self._pump()
        return receipt.stored

    async def drained(self) -> None:
        """Wait until everything sent is stored, or refused for good."""
        await self._room.empty()

    def _outgoing(self, message: EncodedMessage, receipt: Receipt | None) -> Outgoing:
        if len(message.head) + len(message.body) > self._link.client.max_payload:
            raise nats.errors.MaxPayloadError
        return Outgoing.of(message, receipt)

    def _way(self, subject: str) -> Way:
        """Return the way of a subject's stream. It may change to the fast one only while nothing else is under way."""
        stream = self._stream_of(subject) if self._link.fast_ingest else None
        if stream is None or stream in self._without:
            return self._window
        if (batch := self._batches.get(stream)) is None:
            if not self._window.idle:
                return self._window
            batch = PublishBatch(
                self._ledger, self._ack_wait_s, self._size_bytes, lambda: self._do_without(stream), self._checked
            )
            self._batches[stream] = batch
        return batch

    def _do_without(self, stream: str) -> None:
        self._without.add(stream)
        for outgoing in self._batches.pop(stream).take_all():
            self._window.add(outgoing)
        self._window.pump()

    @property
    def _ways(self) -> list[Way]:
        return [self._window, *self._batches.values()]

    def _pump(self) -> None:
        due, self._due = self._due, set()
        for way in due:
            way.pump()

    async def _answered(self, message: Msg) -> None:
        if (answer := read_answer(message)) is None:
            return
        of, *rest = message.subject[len(self._wire.inbox) + 1 :].split(".")
        if not rest and of.isdecimal():
            self._window.answered(int(of), answer)
        elif len(rest) == 5 and rest[2].isdecimal():  # flow, mode, number, operation, `$FI`
            for batch in list(self._batches.values()):
                batch.answered(of, int(rest[2]), answer)

    async def _lost(self) -> None:
        self._recovering = self._recover is not None
        for way in self._ways:
            way.lost()

    async def _restored(self) -> None:
        """Send again. Perhaps the server was replaced, and has fast ingest now."""
        self._back_s = time.monotonic()
        self._without.clear()
        if self._recovering:
            self._reconnected.set()
        else:
            self._release()

    def _release(self) -> None:
        for way in self._ways:
            way.release()

    async def _recovery(self, recover: Recover) -> None:
        """After each reconnect send first what `recover` returns, then the rest."""
        while True:
            await self._reconnected.wait()
            self._reconnected.clear()
            self._put_first(await recover({one.message_id for way in self._ways for one in way.held}))
            end_if_cancelled()
            if not self._reconnected.is_set():
                self._recovering = False
                self._release()

    def _put_first(self, messages: Sequence[Message | EncodedMessage]) -> None:
        by_way: dict[Way, list[Outgoing]] = defaultdict(list)
        for message in messages:
            outgoing = self._outgoing(on_the_wire(message), None)
            by_way[self._way(outgoing.subject)].append(outgoing)
            self._room.retake(1, len(outgoing.rest))
        for way, first in by_way.items():
            way.put_first(first)

    async def _check(self) -> None:
        """Send again what is late."""
        while True:
            await asyncio.sleep(self._ack_wait_s / 4)
            self._report()
            if self._wire.connected and not self._recovering:
                for way in self._ways:
                    way.check(time.monotonic())

    def _report(self) -> None:
        """Report a broker that is there and does not store, and for a while a message that it refused for good."""
        now_s = time.monotonic()
        if not self._wire.connected:
            self._back_s = now_s
        if (health := self._link.health) is None:
            return
        late = [(one, way) for way in self._ways if (one := way.oldest) and now_s - self._since_s(one) >= LATE_S]
        if any(now_s - max(way.progress_s, self._since_s(one)) >= LATE_S for one, way in late):
            health.wait_for("publishing", f"NATS stores nothing: {self._ledger.refusal} for {LATE_S:g} s")
        elif any(now_s - self._since_s(one) >= OLD_S for one, _ in late):
            health.wait_for("publishing", f"NATS is slow: the oldest message waits for more than {OLD_S:g} s")
        elif self._ledger.refused and now_s - self._ledger.refused_s < LATE_S:
            health.wait_for("publishing", self._ledger.refused)
        elif "publishing" in health.problems:
            health.met("publishing")

    def _since_s(self, outgoing: Outgoing) -> float:
        return max(outgoing.since_s, self._back_s)


def _stream_of(subject: str, streams: Mapping[str, str]) -> str | None:
    return next((name for of, name in streams.items() if subject == of or _below(subject, of)), None)


def _below(subject: str, pattern: str) -> bool:
    return pattern.endswith(">") and subject.startswith(pattern[:-1])
