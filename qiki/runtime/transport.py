"""Mends of nats-py's connection, made when this module is imported."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from typing import Any

from nats.aio.client import PONG_PROTO, Client
from nats.aio.transport import TcpTransport

from qiki.runtime.cancellation import end_if_cancelled

Write = Callable[[TcpTransport, Any], None]
Connect = Callable[..., Coroutine[Any, Any, None]]
Close = Callable[..., Coroutine[Any, Any, None]]
Ping = Callable[..., Coroutine[Any, Any, None]]
Pong = Callable[..., Coroutine[Any, Any, None]]


def _lost_when_closed(write: Write) -> Write:
    """A write to a transport that has just closed is a lost connection.

    uvloop raises RuntimeError there, which nats-py takes for the end of the event loop: its flusher ends, the client
    still counts as connected, and whoever publishes next gets the error. From an OSError it reconnects.
    """

    def attempt(transport: TcpTransport, data: Any) -> None:
        try:
            write(transport, data)
        except RuntimeError as error:
            raise ConnectionResetError(str(error)) from error

    return attempt


def _one_socket(connect: Connect) -> Connect:
    """Close what an earlier attempt left open, and make none after the client was closed.

    A broker that hangs still accepts connections; nats-py forgets each one whose greeting does not come in time. And it
    tries for ever where the cancellation came as an attempt failed.
    """

    async def attempt(transport: TcpTransport, *arguments: Any, **options: Any) -> None:
        transport.close()  # type: ignore[no-untyped-call]
        try:
            await connect(transport, *arguments, **options)
        finally:
            end_if_cancelled()

    return attempt


def _told_when_lost(close: Close) -> Close:
    """Close also where what is pending cannot be written: the server may have closed with an error.

    There nats-py calls neither `disconnected_cb` nor `closed_cb`.
    """

    async def attempt(client: Client, *arguments: Any, **options: Any) -> None:
        pending = client._pending
        if pending and client._transport and not client.is_closed:
            client._pending, client._pending_data_size = [], 0
            with contextlib.suppress(OSError):
                client._transport.writelines(pending)
                await client._transport.drain()  # type: ignore[no-untyped-call]
        await close(client, *arguments, **options)

    return attempt


def _after_what_is_pending(ping: Ping) -> Ping:
    """A ping comes after what was sent before it.

    nats-py's overtakes that: `flush` returned before a subscription was made.
    """

    async def attempt(client: Client, *arguments: Any, **options: Any) -> None:
        if client.is_connected and client._pending and client._transport:
            client._transport.writelines(client._pending)
            client._pending, client._pending_data_size = [], 0
        await ping(client, *arguments, **options)

    return attempt


def _alive_while_something_comes(ping: Ping) -> Ping:
    """Pings that are not answered yet count only while no message comes.

    The answer may stand behind more messages than a busy reader takes in the time of some pings. nats-py took the
    connection for dead then, and what was not kept in a stream was lost.
    """

    async def attempt(client: Client, future: asyncio.Future[bool] | None = None) -> None:
        if future is None:  # no flush's
            come = client.stats["in_msgs"]
            if come != getattr(client, "_come_at_ping", come):
                client._pings_outstanding = 1
            client._come_at_ping = come  # type: ignore[attr-defined]
        await ping(client, future)

    return attempt


def _answered_beforehand(ping: Ping) -> Ping:
    """Answer the server's next ping with each of one's own.

    It stands behind all that is still to be read: the server took a reader for dead that was some seconds behind, and
    what was not kept in a stream was lost.
    """

    async def attempt(client: Client, future: asyncio.Future[bool] | None = None) -> None:
        if future is None and client._transport:  # no flush's
            client._transport.write(PONG_PROTO)
        await ping(client, future)

    return attempt


def _also_when_nobody_waits(pong: Pong) -> Pong:
    """An answer to a ping whose `flush` has given up: nats-py's reader ended with an error there."""

    async def attempt(client: Client) -> None:
        if client._pongs and client._pongs[0].done():
            client._pongs[0] = asyncio.get_running_loop().create_future()
        await pong(client)

    return attempt


TcpTransport.write = _lost_when_closed(TcpTransport.write)  # type: ignore[method-assign]
TcpTransport.writelines = _lost_when_closed(TcpTransport.writelines)  # type: ignore[method-assign]
TcpTransport.connect = _one_socket(TcpTransport.connect)  # type: ignore[method-assign]
Client._close = _told_when_lost(Client._close)  # type: ignore[method-assign]
Client._send_ping = _after_what_is_pending(Client._send_ping)  # type: ignore[method-assign]
Client._send_ping = _alive_while_something_comes(Client._send_ping)  # type: ignore[method-assign]
Client._send_ping = _answered_beforehand(Client._send_ping)  # type: ignore[method-assign]
Client._process_pong = _also_when_nobody_waits(Client._process_pong)  # type: ignore[method-assign]
