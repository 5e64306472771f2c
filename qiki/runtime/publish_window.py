"""The publish window: many publishes in flight, each with an acknowledgement of its own; for any server and stream.

nats-py's own `publish_async` never times out when the broker dies, and one awaited publish at a time has a tenth of the
throughput. Here a message without an acknowledgement is sent again after a reconnect or a time, oldest first and before
any new one. The server drops duplicates by the message id.
"""

import time
from collections import deque
from typing import Any

import structlog

from qiki.runtime.publish_ledger import DUPLICATES, RESENT, Ledger, permanent
from qiki.runtime.publish_room import Outgoing, Tail, forgotten

log = structlog.get_logger()


class PublishWindow:
    """Unacknowledged publishes, by the token in their reply subjects, in their order."""

    def __init__(self, ledger: Ledger, ack_wait_s: float, keep_bytes: int) -> None:
        self._ledger = ledger
        self._ack_wait_s = ack_wait_s
        self._pending: dict[int, Outgoing] = {}
        self._unsent: deque[int] = deque()
        self._tail = Tail(keep_bytes)
        self._held = False
        self._probe: int | None = None
        self._next = 0
        self.progress_s = time.monotonic()

    @property
    def idle(self) -> bool:
        """True when everything is stored."""
        return not self._pending

    @property
    def oldest(self) -> Outgoing | None:
        """The message that waits longest."""
        return next(iter(self._pending.values()), None)

    def add(self, outgoing: Outgoing) -> None:
        """Take a message, for the next `pump`."""
        self._pending[self._next] = outgoing
        self._unsent.append(self._next)
        self._next += 1

    def pump(self) -> None:
        """Send the unsent messages, oldest first."""
        if self._unsent and not self._held and self._ledger.wire.connected:
            tokens, self._unsent = self._unsent, deque()
            self._send([token for token in tokens if token in self._pending])

    def _send(self, tokens: list[int]) -> None:
        inbox, now_s = self._ledger.wire.inbox, time.monotonic()
        parts = []
        for token in tokens:
            outgoing = self._pending[token]
            outgoing.sent_s = now_s
            outgoing.sendings += 1
            parts += [f"HPUB {outgoing.subject} {inbox}.{token}".encode(), outgoing.rest]
        self._ledger.wire.write(parts)

    def answered(self, token: int, answer: dict[str, Any]) -> None:
        """Take the server's answer to one message."""
        error = answer.get("error")
        if error and permanent(error):
            if (refused := self._pending.pop(token, None)) is not None:
                self.progress_s = time.monotonic()
                self._ledger.refuse(refused, error["description"])
        elif error or "seq" not in answer:  # it cannot store just now, or no stream listens yet
            self._ledger.refusal = error["description"] if error else "no answer"
            if not self._held:
                log.info("not stored, will be sent again", reason=error or "no stream yet")
            self._hold("refused")
            return
        else:
            self._stored(token, answer)
        if token == self._probe:
            self.release()

    def _stored(self, token: int, answer: dict[str, Any]) -> None:
        self.progress_s = time.monotonic()
        outgoing = self._pending.pop(token, None)
        if answer.get("duplicate"):
            DUPLICATES.inc()
            if outgoing is not None:
                self._ledger.duplicate(outgoing, answer.get("stream"), answer["seq"])
        if outgoing is not None:
            self._ledger.room.release(1, len(outgoing.rest))
            if outgoing.receipt is not None:
                outgoing.receipt.settle()
            self._tail.keep((outgoing,))

    def _hold(self, reason: str) -> None:
        """Hold new messages, which would overtake the others, until all pending ones are sent again."""
        if not self._held:
            RESENT.labels(reason).inc(len(self._pending) - len(self._unsent))
        self._held = True
        self._unsent = deque(self._pending)

    def release(self) -> None:
        """Send again, and go on."""
        self._held = False
        self._probe = None
        for token in [token for token, outgoing in self._pending.items() if forgotten(outgoing)]:
            self._ledger.room.release(1, len(self._pending.pop(token).rest))
        self.pump()

    def lost(self) -> None:
        """Hold everything until `release`, behind the messages stored last."""
        self._hold("reconnected")
        self._probe = None
        self.put_first(self._tail.take(self._ledger.room))

    @property
    def held(self) -> list[Outgoing]:
        """All messages that are not stored, and those that will be sent again, in their order."""
        return list(self._pending.values())

    def put_first(self, messages: list[Outgoing]) -> None:
        """Take messages that go before all others, while everything is held."""
        tokens = range(self._next, self._next + len(messages))
        self._next += len(messages)
        self._pending = dict(zip(tokens, messages, strict=True)) | self._pending
        self._unsent = deque(self._pending)

    def check(self, now_s: float) -> None:
        """Send the oldest alone if it is late: once it is stored, the rest follows."""
        token, oldest = next(iter(self._pending.items()), (0, None))
        if oldest is not None and (self._held or (oldest.sent_s and oldest.sent_s <= now_s - self._ack_wait_s)):
            self._hold("no answer")
            self._probe = token
            self._send([token])
