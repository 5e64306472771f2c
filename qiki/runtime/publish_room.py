"""Messages on their way: their receipts, the room that bounds them, and the ones stored last."""

import asyncio
import re
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from qiki.contracts.headers import EncodedMessage
from qiki.errors import QikiError

KEEP_S = 1.0
FORGET_S = 100.0
_ID = re.compile(rb"\r\nNats-Msg-Id: ([^\r]*)")


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
            self.stored.exception()  # seen: a caller may drop the promise; log and readiness have the error


@dataclass(slots=True)
class Outgoing:
    """A message until it is stored, and a little longer; `rest` is its command behind the reply subject.

    `since_s` is the time from which it counts as unacknowledged.
    """

    subject: str
    rest: bytes
    receipt: Receipt | None
    sent_s: float = 0.0
    stored_s: float = 0.0
    sendings: int = 0
    since_s: float = field(default_factory=time.monotonic)

    @classmethod
    def of(cls, message: EncodedMessage, receipt: Receipt | None) -> "Outgoing":
        """Encode the command."""
        subject, head, body = message
        return cls(subject, b" %d %d\r\n%b%b\r\n" % (len(head), len(head) + len(body), head, body), receipt)

    @property
    def message_id(self) -> str:
        """The id by which the server finds duplicates; empty without one."""
        found = _ID.search(self.rest)
        return found[1].decode() if found else ""

    @property
    def body(self) -> bytes:
        """The message's body."""
        sizes, _, rest = self.rest.partition(b"\r\n")
        return rest[int(sizes.split()[0]) : -2]


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
        now_s = time.monotonic()
        for outgoing in kept:
            outgoing.since_s = now_s
        self._kept.clear()
        return kept


def forgotten(outgoing: Outgoing) -> bool:
    """Return whether a message was stored so long ago that the server may no longer know its message id."""
    return bool(outgoing.stored_s) and outgoing.stored_s < time.monotonic() - FORGET_S
