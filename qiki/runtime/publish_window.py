"""The publish window: many publishes in flight, each sent again until it is stored, also after a refusal; in order.

nats-py's own `publish_async` never times out when the broker dies, and one awaited publish at a time has a tenth of the
throughput. Here a message without an acknowledgement is sent again after a reconnect or a time, oldest first and before
any new one. The server drops duplicates by the message id.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import nats.errors
import structlog
from nats.aio.msg import Msg
from nats.protocol.command import hpub_cmd
from prometheus_client import Counter
from pydantic_core import from_json

from qiki.contracts.headers import EncodedMessage, Message, encoded
from qiki.runtime.nats import Link
from qiki.runtime.tasks import background

RESENT = Counter("qiki_publish_resent_total", "JetStream publishes sent again", ["reason"])
DUPLICATES = Counter("qiki_publish_duplicates_total", "JetStream publishes that the server had already")
LATE_S = 3.0
log = structlog.get_logger()


@dataclass(slots=True)
class _Pending:
    command: bytes
    stored: "asyncio.Future[None]"
    sent_s: float = 0.0


class PublishWindow:
    """Up to `size` unacknowledged publishes on one connection.

    Args:
        size: limit of messages in flight; `publish` waits for room
        ack_wait_s: time without an answer after which a message is sent again
    """

    def __init__(self, link: Link, size: int = 256, ack_wait_s: float = 2.0) -> None:
        self._link = link
        self._client = link.client
        self._ack_wait_s = ack_wait_s
        self._room = asyncio.Semaphore(size)
        self._pending: dict[str, _Pending] = {}
        self._unsent: deque[str] = deque()
        self._held = False
        self._probe: str | None = None
        self._next = 0
        self._refusal = "no answer"
        self._inbox = self._client.new_inbox()
        self._loop = asyncio.get_running_loop()
        self._progress_s = self._loop.time()

    async def __aenter__(self) -> Self:
        await self._client.subscribe(f"{self._inbox}.*", cb=self._answered)
        self._link.hooks.on_lost.append(self._lost)
        self._link.hooks.on_restored.append(self._release)
        self._watch = background(self._resend_late())
        await self._watch.__aenter__()
        return self

    async def __aexit__(self, *error: Any) -> None:
        await self._watch.__aexit__(*error)

    async def publish(self, subject: str, body: bytes, headers: Mapping[str, str]) -> "asyncio.Future[None]":
        """Send; return a future that is done once the message is stored.

        Raises:
            nats.errors.MaxPayloadError: larger than the server takes, headers included.
        """
        return await self._publish(EncodedMessage(subject, encoded(headers), body))

    async def publish_all(self, messages: Sequence[Message | EncodedMessage]) -> "asyncio.Future[None]":
        """Send in order; return a future that is done once all messages are stored."""
        ready = [
            message
            if isinstance(message, EncodedMessage)
            else EncodedMessage(message.subject, encoded(message.headers), message.body)
            for message in messages
        ]
        futures = [await self._publish(message) for message in ready]
        return asyncio.ensure_future(_all(futures))

    async def _publish(self, message: EncodedMessage) -> "asyncio.Future[None]":
        subject, head, body = message
        if len(head) + len(body) > self._client.max_payload:
            raise nats.errors.MaxPayloadError
        await self._room.acquire()
        token = str(self._next)
        self._next += 1
        command = hpub_cmd(subject, f"{self._inbox}.{token}", head, body)
        pending = self._pending[token] = _Pending(command, self._loop.create_future())
        self._unsent.append(token)
        await self._advance()
        return pending.stored

    async def drained(self) -> None:
        """Wait until everything sent is stored."""
        if self._pending:
            await asyncio.wait([pending.stored for pending in self._pending.values()])

    async def _advance(self) -> None:
        """Send the unsent messages, oldest first."""
        while self._unsent and not self._held and self._client.is_connected:
            await self._send(self._unsent.popleft())

    async def _send(self, token: str) -> None:
        """Hand the command to the client's flusher, as its own `publish` does."""
        pending = self._pending.get(token)
        if pending is not None:
            pending.sent_s = self._loop.time()
            await self._client._send_command(pending.command)
            if self._client._flush_queue is not None and self._client._flush_queue.empty():
                await self._client._flush_pending()

    async def _answered(self, answer: Msg) -> None:
        token = answer.subject.rpartition(".")[2]
        try:
            acknowledgement: dict[str, Any] = from_json(answer.data) if answer.data else {}
            refusal = acknowledgement.get("error")
            self._refusal = refusal["description"] if refusal else "no answer"
        except (ValueError, LookupError, AttributeError, TypeError):
            return  # not the server's: another client may publish here
        if not refusal:
            self._progress_s = self._loop.time()
        if refusal or "seq" not in acknowledgement:  # it cannot store just now, or no stream listens yet
            if not self._held:
                log.info("not stored, will be sent again", reason=acknowledgement.get("error", "no stream yet"))
            self._hold("refused")
            return
        if acknowledgement.get("duplicate"):
            DUPLICATES.inc()
        pending = self._pending.pop(token, None)
        if pending is not None:
            self._room.release()
            if not pending.stored.done():
                pending.stored.set_result(None)
        if token == self._probe:
            await self._release()

    def _hold(self, reason: str) -> None:
        """Hold new messages, which would overtake the others, until all pending ones are sent again."""
        if not self._held:
            RESENT.labels(reason).inc(len(self._pending) - len(self._unsent))
        self._held = True
        self._unsent = deque(self._pending)

    async def _release(self) -> None:
        self._progress_s = self._loop.time()
        self._held = False
        self._probe = None
        await self._advance()

    async def _lost(self) -> None:
        """Remove the client's unwritten commands: it would send them before the ones lost on the way."""
        self._hold("reconnected")
        self._probe = None
        inbox = self._inbox.encode()
        left = [command for command in self._client._pending if inbox not in command]
        self._client._pending, self._client._pending_data_size = left, sum(map(len, left))

    async def _resend_late(self) -> None:
        """Send the oldest alone: once it is stored, the rest follows."""
        while True:
            await asyncio.sleep(self._ack_wait_s / 4)
            token, oldest = next(iter(self._pending.items()), ("", None))
            self._report_progress()
            if oldest is None or not self._client.is_connected:
                continue
            if self._held or (oldest.sent_s and oldest.sent_s <= self._loop.time() - self._ack_wait_s):
                self._hold("no answer")
                self._probe = token
                with contextlib.suppress(nats.errors.Error):  # the connection went just now
                    await self._send(token)

    def _report_progress(self) -> None:
        """Report a broker that is there and stores nothing."""
        if not self._pending or not self._client.is_connected:
            self._progress_s = self._loop.time()
        if (health := self._link.health) is None:
            return
        if self._loop.time() - self._progress_s >= LATE_S:
            health.wait_for("publishing", f"NATS stores nothing: {self._refusal} for {LATE_S:g} s")
        elif "publishing" in health.problems:
            health.met("publishing")


async def _all(futures: "list[asyncio.Future[None]]") -> None:
    for future in futures:
        await future
