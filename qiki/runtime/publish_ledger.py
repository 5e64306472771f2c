"""Accounts of a publisher: how it goes with its messages, the wire they take, and what the server answers."""

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from prometheus_client import Counter
from pydantic_core import from_json

from qiki.runtime.publish_room import Outgoing, RefusedError, Room

RESENT = Counter("qiki_publish_resent_total", "JetStream publishes sent again", ["reason"])
DUPLICATES = Counter("qiki_publish_duplicates_total", "JetStream publishes that the server had already")
REFUSED = Counter("qiki_publish_refused_total", "Messages that the server will never take")
MENDABLE = {10002, 10109, 10120, 10205, 10206, 10207, 10208}
"""Codes of errors with status 400 that are no fault of the message: limits, a sealed stream, fast ingest."""
log = structlog.get_logger()


class Wire:
    """The connection as a publisher uses it: commands straight to the socket, answers below one inbox."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.inbox = client.new_inbox()

    @property
    def connected(self) -> bool:
        """True while commands reach the server."""
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
    """Counts of all ways of a publisher; `duplicate` is called with a message, its stream, and the stored sequence."""

    room: Room
    wire: Wire
    duplicate: Callable[[Outgoing, str | None, int], None]
    refusal: str = "no answer"
    refused: str = ""
    refused_s: float = 0.0

    def refuse(self, outgoing: Outgoing, reason: str) -> None:
        """Tell that a message will never be stored."""
        self.refused = f"NATS will never take a message on {outgoing.subject}: {reason}"
        self.refused_s = time.monotonic()
        REFUSED.inc()
        log.error("message refused for good", subject=outgoing.subject, reason=reason, bytes=len(outgoing.rest))
        self.room.release(1, len(outgoing.rest))
        if outgoing.receipt is not None:
            outgoing.receipt.settle(RefusedError(self.refused))


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
