"""Duplicates at the first sending of a message: the server has stored another one under its id, perhaps a forged one.

After a restart they are usual: a service sends again what its predecessor sent. So the stored message is compared.
"""

import asyncio
import re
from collections import deque
from collections.abc import Callable
from typing import Any

import nats.errors
import structlog
from nats.aio.client import Client
from nats.js.api import RawStreamMsg
from prometheus_client import Counter

from qiki.contracts.events import MESSAGE_ID_TAKEN
from qiki.contracts.headers import MESSAGE_ID
from qiki.runtime.publish_room import Outgoing
from qiki.runtime.tasks import end_if_cancelled

TAKEN = Counter("qiki_publish_ids_taken_total", "Messages dropped by the server because their ids were another's")
UNCOMPARED = Counter("qiki_publish_duplicates_uncompared_total", "Duplicates at the first sending that nobody compared")
WAITING = 64
ASK_S = 2.0
TRIES = 3
RETRY_S = 0.5
_INGEST = re.compile(rb'"ts_ingest":("[^"]*"|null)')  # wall time: another one when it is sent again
log = structlog.get_logger()


class DuplicateCheck:
    """Compares messages that the server called duplicates with those that it has stored, one after the other."""

    def __init__(self, client: Client, emit: Callable[..., None] | None) -> None:
        self._client = client
        self._emit = emit
        self._found: deque[tuple[Outgoing, str, int]] = deque()
        self._came = asyncio.Event()

    def note(self, outgoing: Outgoing, stream: str | None, sequence: int) -> None:
        """Note a duplicate; it counts only if the message was sent once."""
        if outgoing.sendings > 1:
            return
        if stream is None or len(self._found) >= WAITING:
            UNCOMPARED.inc()
            return
        self._found.append((outgoing, stream, sequence))
        self._came.set()

    async def run(self) -> None:
        """Compare for ever."""
        while True:
            while self._found:
                await self._compare(*self._found.popleft())
            self._came.clear()
            await self._came.wait()

    async def _compare(self, outgoing: Outgoing, stream: str, sequence: int) -> None:
        for left in reversed(range(TRIES)):
            try:
                stored = await self._client.jetstream(timeout=ASK_S).get_msg(stream, sequence, direct=True)
            except nats.errors.Error as error:  # gone meanwhile, no right to look, or the broker is away
                if not left:
                    UNCOMPARED.inc()
                    log.info("duplicate not compared", stream=stream, sequence=sequence, reason=repr(error))
            else:
                if not same(outgoing, stored):
                    self._tell(outgoing, stream, sequence, stored)
                return
            finally:
                end_if_cancelled()
            await asyncio.sleep(RETRY_S)

    def _tell(self, outgoing: Outgoing, stream: str, sequence: int, stored: RawStreamMsg) -> None:
        TAKEN.inc()
        fields: dict[str, Any] = {
            "stream": stream,
            "subject": outgoing.subject,
            "message_id": str((stored.headers or {}).get(MESSAGE_ID, "")),
            "stored_sequence": sequence,
        }
        log.error("message dropped by the server: its id was another's", **fields)
        if self._emit is not None:
            self._emit(MESSAGE_ID_TAKEN, **fields)


def same(outgoing: Outgoing, stored: RawStreamMsg) -> bool:
    """Return whether a stored message is ours, sent by a predecessor: subject and body, but for the time of sending."""
    ours, theirs = (_INGEST.sub(b"", body) for body in (outgoing.body, stored.data or b""))
    return stored.subject == outgoing.subject and ours == theirs
