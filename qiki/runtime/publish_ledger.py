"""Publishes under way: their room, their receipts, how it goes with them, and the wire."""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from prometheus_client import Counter
from pydantic_core import from_json

from qiki.contracts.headers import EncodedMessage
from qiki.errors import QikiError

RESENT = Counter("qiki_publish_resent_total", "JetStream publishes sent again", ["reason"])
DUPLICATES = Counter("qiki_publish_duplicates_total", "JetStream publishes that the server had already")
REFUSED = Counter("qiki_publish_refused_total", "Messages that the server will never take")
MENDABLE = {10002, 10109, 10120, 10205, 10206, 10207, 10208}
"""Codes of errors with status 400 that are no fault of the message: limits, a sealed stream, fast ingest."""
KEEP_S = 1.0
FORGET_S = 100.0
log = structlog.get_logger()


class RefusedError(QikiError):
    """A message that the server will never take."""


class Receipt:
    """The promise that some messages are stored. It fails if one of them is refused for good."""

    __slots__ = ("_error", "_left", "stored")

    def __init__(self, count: int) -> None:
        self.stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._left = count
        self._error: RefusedError | None = None
        if not count:
            self.stored.set_result(None)

    def settle(self, error: RefusedError | None = None) -> None:
        """Note that one message is stored, or refused."""
        self._error = error or self._error
        self._left -= 1
        if self._left or self.stored.done():
            return
        if self._error is None:
            self.stored.set_result(None)
        else:
            self.stored.set_exception(self._error)
            self.stored.exception()  # whoever drops the promise has the log and the readiness


@dataclass(slots=True)
class Outgoing:
    """A message until it is stored, and a little longer; `rest` is its command behind the reply subject."""

    subject: str
    rest: bytes
    receipt: Receipt | None
    sent_s: float = 0.0
    stored_s: float = 0.0

    @classmethod
    def of(cls, message: EncodedMessage, receipt: Receipt) -> "Outgoing":
        """Encode the command."""
        subject, head, body = message
        return cls(subject, b" %d %d\r\n%b%b\r\n" % (len(head), len(head) + len(body), head, body), receipt)


class Room:
    """A bound of the messages in flight, by number and by bytes; a single message larger than all of it fits alone."""

    def __init__(self, messages: int, size: int) -> None:
        self.messages = self.size = 0
        self._limits = messages, size
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()
        self._empty: list[asyncio.Future[None]] = []

    def take(self, count: int, size: int) -> bool:
        """Take room at once; False if it is not there, or others wait for it."""
        if self._waiting or not self._fits(count, size):
            return False
        self.retake(count, size)
        return True

    def retake(self, count: int, size: int) -> None:
        """Take room for messages that must be sent again, also beyond the bound."""
        self.messages += count
        self.size += size

    async def wait(self, size: int) -> None:
        """Take room for one message; wait for it in turn."""
        turn = asyncio.get_running_loop().create_future(), size
        self._waiting.append((turn[1], turn[0]))
        try:
            await turn[0]
        except asyncio.CancelledError:
            if turn[0].done() and not turn[0].cancelled():
                self.release(1, size)
            raise

    def release(self, count: int, size: int) -> None:
        """Give room back, to who waits for it."""
        self.messages -= count
        self.size -= size
        while self._waiting and (self._waiting[0][1].done() or self._fits(1, self._waiting[0][0])):
            wanted, turn = self._waiting.popleft()
            if not turn.done():
                self.retake(1, wanted)
                turn.set_result(None)
        if not self.messages:
            for waiter in self._empty:
                if not waiter.done():
                    waiter.set_result(None)
            self._empty.clear()

    async def empty(self) -> None:
        """Wait until nothing is in flight."""
        while self.messages:
            waiter = asyncio.get_running_loop().create_future()
            self._empty.append(waiter)
            await waiter

    def _fits(self, count: int, size: int) -> bool:
        messages, bound = self._limits
        return (self.messages + count <= messages and self.size + size <= bound) or (not self.messages and count == 1)


class Wire:
    """The connection as a publisher uses it: commands straight to the socket, answers below one inbox."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.inbox = client.new_inbox()

    @property
    def connected(self) -> bool:
        """Whether commands reach the server."""
        return self._client.is_connected

    def write(self, parts: list[bytes]) -> None:
        """Write commands behind the client's own. What is lost with the connection is sent again by who wrote it."""
        client = self._client
        if client._transport is None:
            return
        own, client._pending, client._pending_data_size = client._pending, [], 0
        with contextlib.suppress(OSError):  # the connection went just now
            client._transport.write(b"".join(own + parts))


@dataclass
class Ledger:
    """Counts of all ways of a publisher."""

    room: Room
    wire: Wire
    progress_s: float = field(default_factory=time.monotonic)
    refusal: str = "no answer"
    refused: str = ""
    refused_s: float = 0.0

    def refuse(self, outgoing: Outgoing, reason: str) -> None:
        """Tell that a message will never be stored."""
        self.refused = f"NATS will never take a message on {outgoing.subject}: {reason}"
        self.refused_s = self.progress_s = time.monotonic()
        REFUSED.inc()
        log.error("message refused for good", subject=outgoing.subject, reason=reason, bytes=len(outgoing.rest))
        self.room.release(1, len(outgoing.rest))
        if outgoing.receipt is not None:
            outgoing.receipt.settle(RefusedError(self.refused))


class Tail:
    """The messages stored last: a stream with `persist_mode: async` loses some of them when its server is killed.

    They are sent again behind a lost connection. The server's table of message ids drops those that it still has.
    """

    def __init__(self, size: int) -> None:
        self._limit = size
        self._size = 0
        self._kept: deque[Outgoing] = deque()

    def keep(self, stored: Iterable[Outgoing]) -> None:
        """Keep messages for a second after they were stored, and drop older ones."""
        now_s = time.monotonic()
        for outgoing in stored:
            outgoing.stored_s, outgoing.receipt = now_s, None
            self._kept.append(outgoing)
            self._size += len(outgoing.rest)
        while self._kept and (self._size > self._limit or self._kept[0].stored_s < now_s - KEEP_S):
            self._size -= len(self._kept.popleft().rest)

    def take(self, room: Room) -> list[Outgoing]:
        """Return all, for which room is taken again."""
        room.retake(len(self._kept), self._size)
        kept, self._size = list(self._kept), 0
        self._kept.clear()
        return kept


def forgotten(outgoing: Outgoing) -> bool:
    """Return whether a message was stored so long ago that the server may no longer know its message id."""
    return bool(outgoing.stored_s) and outgoing.stored_s < time.monotonic() - FORGET_S


def read_answer(message: Msg) -> dict[str, Any] | None:
    """Return the server's answer, empty where no stream listens; None for what another client wrote."""
    try:
        answer = from_json(message.data) if message.data else {}
        if "error" in answer:
            numbers = [answer["error"]["code"]]
            answer["error"].setdefault("description", "")
        elif answer.get("type") == "ack":
            numbers = [answer["seq"], answer["msgs"]]
        else:
            numbers = [answer["count"] if "batch" in answer else 0]
    except (ValueError, LookupError, AttributeError, TypeError):
        return None
    return answer if all(isinstance(number, int) for number in numbers) else None


def permanent(error: dict[str, Any]) -> bool:
    """Return whether an error is about the message itself, so that it would be refused for ever."""
    return bool(error["code"] == 400 and error.get("err_code") not in MENDABLE)
