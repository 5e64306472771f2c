"""A TCP proxy that holds back, delays and throttles what passes: a network between two processes of one machine.

What is held passes when the fault is over, as TCP would send it again; so does the end of a connection.
"""

import asyncio
import contextlib
from dataclasses import dataclass, field

from qiki_harness.compose.model import LOOPBACK

TO, FROM = "to", "from"  # the server
_CHUNK = 16_384


@dataclass
class Way:
    """One direction of all connections."""

    open: asyncio.Event = field(default_factory=asyncio.Event)
    delay_s: float = 0.0
    rate_bytes_s: float = 0.0  # 0: no limit

    def __post_init__(self) -> None:
        self.open.set()

    async def passes(self, size: int) -> None:
        """Wait until so many bytes may pass."""
        await self.open.wait()
        pause_s = self.delay_s + (size / self.rate_bytes_s if self.rate_bytes_s else 0.0)
        if pause_s:
            await asyncio.sleep(pause_s)
            await self.open.wait()


class Proxy:
    """Listens on a free port of loopback and forwards to `upstream`, host and port; without one it hangs up."""

    def __init__(self) -> None:
        self.upstream: tuple[str, int] | None = None
        self.ways = {TO: Way(), FROM: Way()}
        self._connections: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server

    @property
    def address(self) -> str:
        """Host and port for clients."""
        return f"{LOOPBACK}:{self._server.sockets[0].getsockname()[1]}"

    async def start(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._accept, LOOPBACK, 0)

    async def close(self) -> None:
        """Listen no more, and end all connections."""
        self._server.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def cut(self, way: str) -> None:
        """Let nothing pass: `to` the server, `from` it, or `both`."""
        for name, one in self.ways.items():
            if way in {name, "both"}:
                one.open.clear()

    def slow(self, delay_s: float, rate_bytes_s: float) -> None:
        """Delay each chunk, and let no more than so many bytes a second pass each way."""
        for one in self.ways.values():
            one.delay_s, one.rate_bytes_s = delay_s, rate_bytes_s

    def heal(self) -> None:
        """Let all pass."""
        self.slow(0.0, 0.0)
        for one in self.ways.values():
            one.open.set()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            await self._serve(reader, writer)
        except asyncio.CancelledError:
            pass  # by `close`; asyncio would log it
        finally:
            self._connections.discard(task)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for way in self.ways.values():  # a connection takes both
            await way.open.wait()
        if self.upstream is None:
            return
        try:
            server_reader, server_writer = await asyncio.open_connection(*self.upstream)
        except OSError:
            return
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_pump(reader, server_writer, self.ways[TO]))
                group.create_task(_pump(server_reader, writer, self.ways[FROM]))
        finally:
            server_writer.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: Way) -> None:
    try:
        while data := await reader.read(_CHUNK):
            await way.passes(len(data))
            writer.write(data)
            await writer.drain()
        await way.passes(0)
        writer.write_eof()
    except OSError:  # reset: so is the other side, when that may pass
        await way.passes(0)
        with contextlib.suppress(OSError):
            writer.transport.abort()
