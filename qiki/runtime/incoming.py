"""Mends of how nats-py takes a message, made when this module is imported.

Whoever may publish chooses subject, headers and body, and the server checks next to nothing. What is stored comes again
after each reconnection: one message that the client stumbles over would keep a reader away for good.
"""

import re
from collections.abc import Callable, Coroutine
from typing import Any

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.protocol import parser

STORED = "$JS.ACK."
"""What the reply subject of every message out of a stream begins with."""

Status = Callable[[Msg | None], str | None]
Build = Callable[..., Msg]
ReadHeaders = Callable[..., Coroutine[Any, Any, dict[str, str] | None]]


def _never_of_stored(status: Status) -> Status:
    """What is stored is data, also with a header `Status`.

    nats-py takes that header for the server's word: it drops the message unacknowledged, or raises for want of another.
    """

    def attempt(message: Msg | None) -> str | None:
        return None if message is not None and message.reply.startswith(STORED) else status(message)

    return attempt


def _in_any_bytes(build: Build) -> Build:
    """A subject need not be UTF-8: each wrong byte becomes U+FFFD.

    nats-py's reading ends there without a word to the rest of the client.
    """

    def attempt(client: Client, sid: int, subject: bytes, reply: bytes, *rest: Any) -> Msg:
        try:
            return build(client, sid, subject, reply, *rest)
        except UnicodeDecodeError:
            return build(client, sid, _as_utf8(subject), _as_utf8(reply), *rest)

    return attempt


def _none_where_malformed(read: ReadHeaders) -> ReadHeaders:
    """Headers that are none count as none; they, too, end nats-py's reading."""

    async def attempt(client: Client, headers: bytes) -> dict[str, str] | None:
        try:
            return await read(client, headers)
        except (IndexError, UnicodeDecodeError):
            return None

    return attempt


def _as_utf8(text: bytes) -> bytes:
    return text.decode(errors="replace").encode()


JetStreamContext.is_status_msg = staticmethod(_never_of_stored(JetStreamContext.is_status_msg))  # type: ignore[method-assign, assignment]
Client._build_message = _in_any_bytes(Client._build_message)  # type: ignore[method-assign]
Client._process_headers = _none_where_malformed(Client._process_headers)  # type: ignore[method-assign]
# A subject may hold a vertical tab or a form feed, at which nats-py parts a line; the server does so at blanks.
parser.MSG_RE = re.compile(rb"\AMSG[ \t]+([^ \t\r\n]+)[ \t]+(\d+)[ \t]+(([^ \t\r\n]+)[ \t]+)?(\d+)\r\n")
parser.HMSG_RE = re.compile(rb"\AHMSG[ \t]+([^ \t\r\n]+)[ \t]+(\d+)[ \t]+(([^ \t\r\n]+)[ \t]+)?(\d+)[ \t]+(\d+)\r\n")
