"""Patches of nats-py 2.16, in one table, applied once by `apply`.

The tests run the original too: when a defect is gone its test fails, and the patch can go.

A publisher chooses subject, headers and body, and the server checks next to nothing. A stored message comes again after
each reconnect: one that the client cannot take would keep a reader away for good.
"""

import asyncio
import base64
import contextlib
import logging
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cache, lru_cache, wraps
from pathlib import Path
from types import ModuleType
from typing import Any

import nats.errors
from nats.aio.client import PONG_PROTO, Client
from nats.aio.msg import Msg
from nats.aio.transport import TcpTransport
from nats.js import JetStreamContext
from nats.protocol import parser

from qiki.runtime.identities.nkey import read_seed
from qiki.runtime.tasks import end_if_cancelled

VERSION = "2.16"
STORED = "$JS.ACK."  # prefix of the reply subject of a stream's message
NOT_REPORTED = "not reported"
_LONGEST_NAME = 64  # bytes, of those that are kept


@dataclass(frozen=True)
class Patch:
    """One attribute of nats-py; `patched` makes its replacement, and describes the defect; `issue` is upstream's."""

    owner: type | ModuleType
    name: str
    patched: Callable[[Any], Any]
    issue: str = NOT_REPORTED

    def apply(self) -> None:
        """Replace the attribute."""
        setattr(self.owner, self.name, self.patched(getattr(self.owner, self.name)))


@cache
def apply() -> None:
    """Apply every patch, the first time only."""
    for patch in PATCHES:
        patch.apply()
    # nats-py's reader says at each end of a TLS connection that it would keep it half open.
    logging.getLogger("asyncio").addFilter(lambda record: "eof_received" not in str(record.msg))


def _before(action: Callable[..., Awaitable[None] | None]) -> Callable[[Any], Any]:
    """Return a patch of a coroutine function: `action` gets the same arguments first."""

    @wraps(action)
    def patched(original: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(original)
        async def attempt(*arguments: Any, **options: Any) -> Any:
            if (waiting := action(*arguments, **options)) is not None:
                await waiting
            return await original(*arguments, **options)

        return attempt

    return patched


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


@_before
def _one_socket(transport: TcpTransport, *_: Any, **__: Any) -> None:
    """Close the socket of an earlier attempt: nats-py forgets it, and a hanging broker still accepts connections."""
    transport.close()  # type: ignore[no-untyped-call]


@_before
def _lost_though_unsent(client: Client, *_: Any, **__: Any) -> None:
    """Drop what a lost connection has not sent: nats-py waits until it is, on a cut link for minutes.

    Until then it does not reconnect, and nobody learns that the connection is lost.
    """
    if isinstance(client._transport, TcpTransport) and client._transport._io_writer:
        client._transport._io_writer.transport.abort()


def _none_after_the_close(connect: Callable[..., Any]) -> Callable[..., Any]:
    """End the attempts of a closed client: nats-py reconnects for ever if cancelled as an attempt fails."""

    @wraps(connect)
    async def attempt(*arguments: Any, **options: Any) -> None:
        try:
            await connect(*arguments, **options)
        finally:
            end_if_cancelled()

    return attempt


@_before
async def _closed_though_pending(client: Client, *_: Any, **__: Any) -> None:
    """Close also if pending commands cannot be written, because the server has closed with an error.

    nats-py calls neither `disconnected_cb` nor `closed_cb` then.
    """
    pending = client._pending
    if pending and client._transport and not client.is_closed:
        client._pending, client._pending_data_size = [], 0
        with contextlib.suppress(OSError):
            client._transport.writelines(pending)
            await client._transport.drain()  # type: ignore[no-untyped-call]


@_before
def _after_pending(client: Client, *_: Any, **__: Any) -> None:
    """Send a ping after the earlier commands: nats-py's overtakes them, and `flush` returns before they arrive."""
    if client.is_connected and client._pending and client._transport:
        client._transport.writelines(client._pending)
        client._pending, client._pending_data_size = [], 0


@_before
def _alive_while_messages_come(client: Client, future: asyncio.Future[bool] | None = None) -> None:
    """Count unanswered pings only while no message comes.

    The answer may come after more messages than a busy reader takes in the time of some pings. nats-py takes the
    connection for dead then, and messages that no stream keeps are lost.
    """
    if future is None:  # no flush's
        received = client.stats["in_msgs"]
        if received != getattr(client, "_received_at_ping", received):
            client._pings_outstanding = 1
        client._received_at_ping = received  # type: ignore[attr-defined]


@_before
def _answered_beforehand(client: Client, future: asyncio.Future[bool] | None = None) -> None:
    """Answer the server's next ping with each ping of our own.

    The server's ping waits behind all messages still to be read: the server takes a reader for dead that is some
    seconds behind, and messages that no stream keeps are lost.
    """
    if future is None and client._transport:  # no flush's
        client._transport.write(PONG_PROTO)


@_before
def _answer_to_nobody(client: Client) -> None:
    """Take the answer to a ping whose `flush` has given up: nats-py's reader ends with an error there."""
    if client._pongs and client._pongs[0].done():
        client._pongs[0] = asyncio.get_running_loop().create_future()


def _data_though_status(status: Callable[..., Any]) -> Any:
    """Take a stored message for data, also with a header `Status`.

    nats-py takes that header for the server's: it drops the message unacknowledged, or raises an error.
    """

    @wraps(status)
    def attempt(message: Msg | None) -> str | None:
        return None if message is not None and message.reply.startswith(STORED) else status(message)

    return staticmethod(attempt)


def _any_subject(build: Callable[..., Msg]) -> Callable[..., Msg]:
    """Replace each byte of a subject that is not UTF-8 by U+FFFD: nats-py's reader ends there, unnoticed."""

    @wraps(build)
    def attempt(client: Client, sid: int, subject: bytes, reply: bytes, *rest: Any) -> Msg:
        try:
            return build(client, sid, subject, reply, *rest)
        except UnicodeDecodeError:
            subject, reply = (text.decode(errors="replace").encode() for text in (subject, reply))
            return build(client, sid, subject, reply, *rest)

    return attempt


def _none_where_malformed(read: Callable[..., Any]) -> Callable[..., Any]:
    """Take malformed headers for none; they end nats-py's reading, too."""

    @wraps(read)
    async def attempt(client: Client, headers: bytes) -> Any:
        try:
            return await read(client, headers)
        except (IndexError, UnicodeDecodeError):
            return None

    return attempt


def _names_read_once(parse: Callable[..., dict[str, str]]) -> Any:
    """Read the names of headers once: nats-py goes through each character of each name in each message.

    That is a quarter of what a message takes to be received. The names of a message are those of the one before it.
    """

    @wraps(parse)
    def attempt(raw: bytes) -> dict[str, str]:
        found: dict[str, str] = {}
        for line in raw.split(b"\r\n"):
            name, colon, value = line.partition(b":")
            read = _header_name if len(name) <= _LONGEST_NAME else _header_name.__wrapped__
            if colon and (key := read(name)) is not None:
                found[key] = value.strip().decode(errors="replace")
        return found

    return staticmethod(attempt)


@lru_cache(maxsize=1024)
def _header_name(name: bytes) -> str | None:
    """Return the name of a header; None where it is malformed, as nats-py has it."""
    with contextlib.suppress(UnicodeDecodeError):
        key = name.strip().decode("ascii")
        return None if any(map(str.isspace, key)) else key
    return None


def _split_at_blanks(line: re.Pattern[bytes]) -> re.Pattern[bytes]:
    """Split the line of a message at blanks and tabs, as the server does.

    A subject may hold a vertical tab or a form feed; nats-py splits there too, and loses the connection.
    """
    text = line.pattern.replace(rb"[^\S" + b"\r\n]", rb"[ \t]").replace(rb"[^\s]", rb"[^ \t\r\n]")
    return re.compile(text.replace(rb"\s", rb"[ \t]"))


def _seed_read_each_time(original: Callable[..., None]) -> Callable[..., None]:
    """Sign with what the seed's file holds now: it may have been renewed.

    nats-py reads it once, by a package that comes without a wheel.
    """

    @wraps(original)
    def set_up(client: Client) -> None:
        def sign(nonce: str) -> bytes:
            key = read_seed(Path(str(client._nkeys_seed)).read_text(encoding="utf-8").strip())
            client._public_nkey = key.public
            return base64.b64encode(key.sign(nonce.encode()))

        client._signature_cb = sign

    return set_up


@_before
def _encrypted_where_offered(client: Client, info: dict[str, Any], *_: Any, initial_connection: bool = False) -> None:
    """Encrypt where that is wanted and the server offers it, and never go on without.

    nats-py encrypts only where the server insists, and this one takes plain clients, too.
    """
    if initial_connection and "tls" in client.options:
        if not (info.get("tls_required") or info.get("tls_available")):
            raise nats.errors.SecureConnWantedError
        info["tls_required"] = True


PATCHES = (
    Patch(TcpTransport, "write", _lost_when_closed, "MagicStack/uvloop#506"),
    Patch(TcpTransport, "writelines", _lost_when_closed, "MagicStack/uvloop#506"),
    Patch(TcpTransport, "connect", _one_socket),
    Patch(TcpTransport, "connect", _none_after_the_close, "nats-io/nats.py#981, of its successor nats-core"),
    Patch(Client, "_attempt_reconnect", _lost_though_unsent),
    Patch(Client, "_close", _closed_though_pending),
    Patch(Client, "_send_ping", _after_pending, "nats-io/nats.py2#24, of its predecessor"),
    Patch(Client, "_send_ping", _alive_while_messages_come),
    Patch(Client, "_send_ping", _answered_beforehand),
    Patch(Client, "_process_pong", _answer_to_nobody, "nats-io/nats.py2#36, of its predecessor"),
    Patch(JetStreamContext, "is_status_msg", _data_though_status),
    Patch(Client, "_setup_nkeys_seed_connect", _seed_read_each_time),
    Patch(Client, "_process_info", _encrypted_where_offered),
    Patch(Client, "_build_message", _any_subject),
    Patch(Client, "_process_headers", _none_where_malformed, "nats-io/nats.py#924 mended the values alone"),
    Patch(Client, "_parse_header_lines", _names_read_once),
    Patch(parser, "MSG_RE", _split_at_blanks),
    Patch(parser, "HMSG_RE", _split_at_blanks),
)
