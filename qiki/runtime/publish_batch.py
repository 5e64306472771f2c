"""Fast ingest (nats-server 2.14, ADR-50): the messages of one stream in batches, each acknowledged as a whole.

A batch numbers its messages in their reply subjects, and the server takes none behind a gap: so what is stored is in
order. It acknowledges every so many messages, and the end of the batch. A batch ends with the last message that waits,
hence at a low rate with each call; under load the next messages gather until that is acknowledged.
"""

import time
from collections import deque
from collections.abc import Callable, Collection
from itertools import islice
from typing import Any

import structlog

from qiki.runtime.publish_ledger import DUPLICATES, RESENT, Ledger, permanent
from qiki.runtime.publish_room import Outgoing, Tail, forgotten

FLOW = 500  # messages between two acknowledgements, at most; the server starts lower if others ingest too
UNACKNOWLEDGED = 2  # acknowledgements that may be outstanding
FIRST = 128  # messages before the server has said how many it wants
BACKLOG = 64  # messages that wait
PART_BYTES = 1 << 20  # a batch ends behind so many at the latest: their acknowledgement must not be late
PATIENCE = 8.0  # times as long as at first an answer may take, if none comes in time
UNSUPPORTED = {10205, 10206}
UNKNOWN_BATCH = 10208
log = structlog.get_logger()


class PublishBatch:
    """The batches into one stream, one at a time; `unsupported` is called where the server or the stream has none.

    The server says only of a batch's last message that it was a duplicate: so one of `checked` subjects ends its batch,
    but behind a backlog, where that would take too long.
    """

    def __init__(
        self,
        ledger: Ledger,
        ack_wait_s: float,
        keep_bytes: int,
        unsupported: Callable[[], None],
        checked: Collection[str] = (),
    ) -> None:
        self._ledger = ledger
        self._checked = checked
        self._ack_wait_s = ack_wait_s
        self._unsupported = unsupported
        self._waiting: deque[Outgoing] = deque()
        self._sent: deque[Outgoing] = deque()  # in this batch, not acknowledged
        self._tail = Tail(keep_bytes)
        self._held = False
        self._patience = 1.0
        self._count = 0
        self.progress_s = time.monotonic()
        self.batch = ""
        self._reset()

    def _reset(self) -> None:
        self.batch = ""
        self._next = self._first = 1  # of the batch's numbers: of the next message; of the first in `_sent`
        self._limit = FIRST
        self._ending = False
        self._moved_s = 0.0

    @property
    def idle(self) -> bool:
        """True when everything is stored."""
        return not (self._waiting or self._sent)

    @property
    def oldest(self) -> Outgoing | None:
        """The message that waits longest."""
        return next(iter(self._sent or self._waiting), None)

    def add(self, outgoing: Outgoing) -> None:
        """Take a message, for the next `pump`."""
        self._waiting.append(outgoing)

    @property
    def held(self) -> list[Outgoing]:
        """All messages that are not stored, and those that will be sent again, in their order."""
        return [*self._sent, *self._waiting]

    def put_first(self, messages: list[Outgoing]) -> None:
        """Take messages that go before all others, while everything is held."""
        self._waiting.extendleft(reversed(messages))

    def pump(self) -> None:
        """Send what waits, as far as the server takes it now; end the batch if that is all."""
        if self._waiting and not (self._held or self._ending) and self._ledger.wire.connected:
            most = max(0, min(len(self._waiting), self._limit - self._next + 1))  # the server may have lowered it
            count, size, ends = 0, 0, False
            checked = self._checked if len(self._waiting) <= BACKLOG else ()
            for outgoing in islice(self._waiting, most):
                count, size = count + 1, size + len(outgoing.rest)
                if ends := size >= PART_BYTES or outgoing.subject in checked:
                    break
            if count:
                self._send(count, end=ends or count == len(self._waiting))

    def _send(self, count: int, *, end: bool) -> None:
        """Write messages in one go."""
        if not self.batch:
            self._count += 1
            self.batch = f"{self._ledger.wire.inbox.rpartition('.')[2]}-{id(self):x}-{self._count}"
        reply = f"{self._ledger.wire.inbox}.{self.batch}.{FLOW}.fail"
        last = self._next + count - 1
        parts = []
        for number in range(self._next, last + 1):
            outgoing = self._waiting.popleft()
            self._sent.append(outgoing)
            outgoing.sendings += 1
            operation = 2 if end and number == last else 1 if number > 1 else 0  # commit, append, start
            parts += [f"HPUB {outgoing.subject} {reply}.{number}.{operation}.$FI".encode(), outgoing.rest]
        self._next = last + 1
        self._ending = end
        self._moved_s = time.monotonic()
        self._ledger.wire.write(parts)

    def answered(self, batch: str, number: int, answer: dict[str, Any]) -> None:
        """Take the server's answer to message `number` of a batch. A batch that was given up counts no more."""
        if batch != self.batch:
            return
        kind = answer.get("type")
        if kind == "ack":
            self._settle(answer["seq"])
            self._limit = answer["seq"] + UNACKNOWLEDGED * answer["msgs"]
            self.pump()
        elif kind == "gap":
            self._ending = True  # the end of the batch is acknowledged next
        elif "error" in answer:
            self._failed(number, answer["error"])
        elif "batch" in answer:
            self._ended(answer)
        elif "seq" in answer:  # the acknowledgement of a server that has no batches
            self._unsupported()
        else:
            self._hold("refused", "no stream yet")

    def _settle(self, number: int) -> bool:
        """Count the messages up to `number` as stored; return whether there are any."""
        count = min(number - self._first + 1, len(self._sent))
        if count <= 0:
            return False
        self.progress_s = self._moved_s = time.monotonic()
        if not self._held:
            self._patience = 1.0
        stored = [self._sent.popleft() for _ in range(count)]
        self._first += count
        self._ledger.room.release(count, sum(len(outgoing.rest) for outgoing in stored))
        for outgoing in stored:
            if outgoing.receipt is not None:
                outgoing.receipt.settle()
        self._tail.keep(stored)
        return True

    def _ended(self, answer: dict[str, Any]) -> None:
        """Go on with a new batch. Behind a gap the rest of the old one is sent again."""
        if answer.get("duplicate"):
            DUPLICATES.inc()
            if self._sent and self._first + len(self._sent) - 1 == answer["count"]:
                self._ledger.duplicate(self._sent[-1], answer.get("stream"), answer.get("seq", 0))
        if not self._settle(answer["count"]):
            self._hold("refused", "an empty batch")
            return
        self._begin_again("gap")

    def _failed(self, number: int, error: dict[str, Any]) -> None:
        place = number - self._first
        if error.get("err_code") in UNSUPPORTED:
            self._unsupported()
        elif permanent(error) and 0 <= place < len(self._sent):
            self.progress_s = time.monotonic()
            refused = self._sent[place]
            del self._sent[place]
            self._ledger.refuse(refused, error["description"])
            self._begin_again("refused")
        elif error.get("err_code") == UNKNOWN_BATCH and self._first > 1:  # some of it was stored: it does go on
            self._begin_again("batch lost")
        else:
            self._ledger.refusal = error["description"]
            self._hold("refused", error)

    def _begin_again(self, reason: str) -> None:
        self._take_back(reason)
        self._held = False
        self.pump()

    def _hold(self, reason: str, why: object) -> None:
        """Wait with everything until `check` has sent the oldest message alone, and that is stored."""
        if not self._held:
            log.info("not stored, will be sent again", reason=why)
        self._take_back(reason)
        self._held = True

    def _take_back(self, reason: str) -> None:
        """Give the batch up; what is unacknowledged waits again."""
        RESENT.labels(reason).inc(len(self._sent))
        self._waiting.extendleft(reversed(self._sent))
        self._sent.clear()
        self._reset()

    def take_all(self) -> deque[Outgoing]:
        """Hand over everything, for another way."""
        self._take_back("no fast ingest")
        waiting, self._waiting = self._waiting, deque()
        return waiting

    def release(self) -> None:
        """Send again, and go on."""
        while self._waiting and forgotten(self._waiting[0]):
            self._ledger.room.release(1, len(self._waiting.popleft().rest))
        self._begin_again("reconnected")

    def lost(self) -> None:
        """Hold everything until `release`, behind the messages stored last."""
        self._take_back("reconnected")
        self._waiting.extendleft(reversed(self._tail.take(self._ledger.room)))
        self._held = True

    def check(self, now_s: float) -> None:
        """Send the oldest alone if the server is late: once it is stored, the rest follows."""
        if self._sent and not self._held and self._moved_s <= now_s - self._patience * self._ack_wait_s:
            self._patience = min(2 * self._patience, PATIENCE)  # what is sent again takes as long again
            self._hold("no answer", "no answer")
        if self._held and (self._sent or self._waiting):
            if self._sent:  # the same batch again: an answer that is late counts
                self._waiting.appendleft(self._sent.pop())
                self._next = 1
            self._send(1, end=True)
