"""Patches of nats-py 2.16, in one table, applied once by `apply`.

The tests run the original too: one that finds a defect gone fails, and the patch can go.

A publisher chooses subject, headers and body, and the server checks next to nothing. A stored message comes again after
each reconnect, so one message that the client cannot take would keep a reader away for good.
"""

import asyncio
import contextlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from types import ModuleType
from typing import Any

from nats.aio.client import PONG_PROTO, Client
from nats.aio.msg import Msg
from nats.aio.transport import TcpTransport
from nats.js import JetStreamContext
from nats.protocol import parser

from qiki.runtime.tasks import end_if_cancelled

VERSION = "2.16"
STORED = "$JS.ACK."
"""Begin of the reply subject of every message out of a stream."""
NOT_REPORTED = "not reported"


@dataclass(frozen=True)
class Patch:
    """One attribute of nats-py and its replacement.

    Attributes:
        patched: makes the replacement from the original; its docstring tells the defect
        issue: upstream's
    """

    owner: type | ModuleType
    name: str
    patched: Callable[[Any], Any]
    issue: str = NOT_REPORTED

    def apply(self) -> None:
        """Replace the attribute."""
        setattr(self.owner, self.name, self.patched(getattr(self.owner, self.name)))


def apply() -> None:
    """Apply every patch, the first time only."""
    if not _applied:
        for patch in PATCHES:
            patch.apply()
        _applied.append(VERSION)


def _lost_when_closed(write: Callable[..., None]) -> Callable[..., None]:
    """Report a write to a closed transport as a lost connection.

    uvloop raises RuntimeError there, which nats-py takes for the end of the event loop: its flusher ends, the client
    still counts as connected, and the next publisher gets the error. After an OSError it reconnects.
    """

    @wraps(write)
    def attempt(transport: TcpTransport, data: Any) -> None:
        try:
            write(transport, data)
        except RuntimeError as error:
            raise ConnectionResetError(str(error)) from error

    return attempt


def _one_socket(connect: Callable[..., Any]) -> Callable[..., Any]:
    """Close the socket of an earlier attempt.

    A hanging broker still accepts connections, and nats-py forgets each one whose greeting does not come in time.
    """

    @wraps(connect)
    async def attempt(transport: TcpTransport, *arguments: Any, **options: Any) -> None:
        transport.close()  # type: ignore[no-untyped-call]
        await connect(transport, *arguments, **options)

    return attempt


def _none_after_the_close(connect: Callable[..., Any]) -> Callable[..., Any]:
    """End the attempts when the client was closed.

    nats-py reconnects for ever where the cancellation comes as an attempt fails.
    """

    @wraps(connect)
    async def attempt(transport: TcpTransport, *arguments: Any, **options: Any) -> None:
        try:
            await connect(transport, *arguments, **options)
        finally:
            end_if_cancelled()

    return attempt


def _closed_though_pending(close: Callable[..., Any]) -> Callable[..., Any]:
    """Close also where pending commands cannot be written, because the server has closed with an error.

    nats-py calls neither `disconnected_cb` nor `closed_cb` there.
    """

    @wraps(close)
    async def attempt(client: Client, *arguments: Any, **options: Any) -> None:
        pending = client._pending
        if pending and client._transport and not client.is_closed:
            client._pending, client._pending_data_size = [], 0
            with contextlib.suppress(OSError):
                client._transport.writelines(pending)
                await client._transport.drain()  # type: ignore[no-untyped-call]
        await close(client, *arguments, **options)

    return attempt


def _after_pending(ping: Callable[..., Any]) -> Callable[..., Any]:
    """Send a ping after the commands before it.

    nats-py's overtakes them: `flush` returns before a subscription is made.
    """

    @wraps(ping)
    async def attempt(client: Client, *arguments: Any, **options: Any) -> None:
        if client.is_connected and client._pending and client._transport:
            client._transport.writelines(client._pending)
            client._pending, client._pending_data_size = [], 0
        await ping(client, *arguments, **options)

    return attempt


def _alive_while_messages_come(ping: Callable[..., Any]) -> Callable[..., Any]:
    """Count unanswered pings only while no message comes.

    The answer may stand behind more messages than a busy reader takes in the time of some pings. nats-py takes the
    connection for dead then, and messages that no stream keeps are lost.
    """

    @wraps(ping)
    async def attempt(client: Client, future: asyncio.Future[bool] | None = None) -> None:
        if future is None:  # no flush's
            received = client.stats["in_msgs"]
            if received != getattr(client, "_received_at_ping", received):
                client._pings_outstanding = 1
            client._received_at_ping = received  # type: ignore[attr-defined]
        await ping(client, future)

    return attempt


def _answered_beforehand(ping: Callable[..., Any]) -> Callable[..., Any]:
    """Answer the server's next ping with each ping of our own.

    The server's ping stands behind all that is still to be read: the server takes a reader for dead that is some
    seconds behind, and messages that no stream keeps are lost.
    """

    @wraps(ping)
    async def attempt(client: Client, future: asyncio.Future[bool] | None = None) -> None:
        if future is None and client._transport:  # no flush's
            client._transport.write(PONG_PROTO)
        await ping(client, future)

    return attempt


def _answer_to_nobody(pong: Callable[..., Any]) -> Callable[..., Any]:
    """Take the answer to a ping whose `flush` has given up: nats-py's reader ends with an error there."""

    @wraps(pong)
    async def attempt(client: Client) -> None:
        if client._pongs and client._pongs[0].done():
            client._pongs[0] = asyncio.get_running_loop().create_future()
        await pong(client)

    return attempt


def _data_though_status(status: Callable[..., Any]) -> Any:
    """Take a stored message for data, also with a header `Status`.

    nats-py takes that header for the server's: it drops the message unacknowledged, or raises for want of another.
    """

    @wraps(status)
    def attempt(message: Msg | None) -> str | None:
        return None if message is not None and message.reply.startswith(STORED) else status(message)

    return staticmethod(attempt)


def _any_subject(build: Callable[..., Msg]) -> Callable[..., Msg]:
    """Take a subject that is not UTF-8: each wrong byte becomes U+FFFD.

    nats-py's reading ends there, and nothing says so to the rest of the client.
    """

    @wraps(build)
    def attempt(client: Client, sid: int, subject: bytes, reply: bytes, *rest: Any) -> Msg:
        try:
            return build(client, sid, subject, reply, *rest)
        except UnicodeDecodeError:
            return build(client, sid, _as_utf8(subject), _as_utf8(reply), *rest)

    return attempt


def _none_where_malformed(read: Callable[..., Any]) -> Callable[..., Any]:
    """Take malformed headers for none; they, too, end nats-py's reading."""

    @wraps(read)
    async def attempt(client: Client, headers: bytes) -> Any:
        try:
            return await read(client, headers)
        except (IndexError, UnicodeDecodeError):
            return None

    return attempt


def _split_at_blanks(line: re.Pattern[bytes]) -> re.Pattern[bytes]:
    """Split the line of a message at blanks and tabs, as the server does.

    A subject may hold a vertical tab or a form feed; nats-py splits there too, and loses the connection.
    """
    text = line.pattern.replace(rb"[^\S" + b"\r\n]", rb"[ \t]").replace(rb"[^\s]", rb"[^ \t\r\n]")
    return re.compile(text.replace(rb"\s", rb"[ \t]"))


def _as_utf8(text: bytes) -> bytes:
    return text.decode(errors="replace").encode()


_applied: list[str] = []
PATCHES = (
    Patch(TcpTransport, "write", _lost_when_closed, "MagicStack/uvloop#506"),
    Patch(TcpTransport, "writelines", _lost_when_closed, "MagicStack/uvloop#506"),
    Patch(TcpTransport, "connect", _one_socket),
    Patch(TcpTransport, "connect", _none_after_the_close, "nats-io/nats.py#981, of its successor nats-core"),
    Patch(Client, "_close", _closed_though_pending),
    Patch(Client, "_send_ping", _after_pending, "nats-io/nats.py2#24, of its predecessor"),
    Patch(Client, "_send_ping", _alive_while_messages_come),
    Patch(Client, "_send_ping", _answered_beforehand),
    Patch(Client, "_process_pong", _answer_to_nobody, "nats-io/nats.py2#36, of its predecessor"),
    Patch(JetStreamContext, "is_status_msg", _data_though_status),
    Patch(Client, "_build_message", _any_subject),
    Patch(Client, "_process_headers", _none_where_malformed, "nats-io/nats.py#924 mended the values alone"),
    Patch(parser, "MSG_RE", _split_at_blanks),
    Patch(parser, "HMSG_RE", _split_at_blanks),
)
