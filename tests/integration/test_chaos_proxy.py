"""The proxy of a chaos run holds back, delays and cuts what passes between a client and a server."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc.aio
import pytest

from qiki.runtime.grpc import CLIENT_OPTIONS
from qiki_harness.chaos.proxy import FROM, TO, Proxy

HELD_S = 0.3


@asynccontextmanager
async def echo() -> AsyncIterator[tuple[Proxy, asyncio.StreamReader, asyncio.StreamWriter, list[bytes]]]:
    """A client's connection through a proxy to a server that sends back what comes, and what came to it."""
    came: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(100):
            came.append(data)
            writer.write(data)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    proxy = Proxy()
    proxy.upstream = server.sockets[0].getsockname()[:2]
    await proxy.start()
    host, port = proxy.address.split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        yield proxy, reader, writer, came
    finally:
        writer.close()
        await proxy.close()
        server.close()


async def nothing(reader: asyncio.StreamReader) -> bool:
    try:
        await asyncio.wait_for(reader.readexactly(1), HELD_S)
    except TimeoutError:
        return True
    return False


@pytest.mark.parametrize(("way", "arrives"), [("both", False), (TO, False), (FROM, True)])
def test_what_a_cut_holds_back_passes_when_it_is_healed(way: str, arrives: bool):
    async def body() -> None:
        async with echo() as (proxy, reader, writer, came):
            writer.write(b"a")
            assert await reader.readexactly(1) == b"a"
            proxy.cut(way)
            writer.write(b"b")
            assert await nothing(reader)
            assert came == ([b"a", b"b"] if arrives else [b"a"])
            proxy.heal()
            assert await reader.readexactly(1) == b"b"

    asyncio.run(body())


def test_the_end_of_a_connection_is_held_back_too():
    async def body() -> None:
        async with echo() as (proxy, reader, writer, _):
            writer.write(b"a")
            await reader.readexactly(1)
            proxy.cut(FROM)
            writer.write_eof()
            assert await nothing(reader)
            proxy.heal()
            assert await reader.read() == b""

    asyncio.run(body())


def test_a_slow_link_delays_and_throttles():
    async def body() -> None:
        async with echo() as (proxy, reader, writer, _):
            proxy.slow(0.05, 1000.0)
            begin_s = time.monotonic()
            writer.write(bytes(100))
            await reader.readexactly(100)
            assert time.monotonic() - begin_s >= 2 * (0.05 + 0.1)

    asyncio.run(body())


def test_our_grpc_channel_connects_over_a_slow_link():
    async def body() -> None:
        server = grpc.aio.server()
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        proxy = Proxy()
        proxy.upstream = ("127.0.0.1", port)
        await proxy.start()
        proxy.slow(0.2, 0.0)
        async with grpc.aio.insecure_channel(proxy.address, options=CLIENT_OPTIONS) as channel:
            await asyncio.wait_for(channel.channel_ready(), 10.0)
        await server.stop(None)
        await proxy.close()

    asyncio.run(body())


def test_without_a_server_it_hangs_up():
    async def body() -> None:
        proxy = Proxy()
        await proxy.start()
        host, port = proxy.address.split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        assert await reader.read() == b""
        writer.close()
        await proxy.close()

    asyncio.run(body())
