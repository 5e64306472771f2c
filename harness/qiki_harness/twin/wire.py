"""The connection behind a twin: a thread of its own with an event loop, which takes down all that passes."""

import asyncio
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Future
from datetime import UTC, datetime
from typing import TypeVar
from urllib.parse import urlsplit

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import NoRespondersError
from nats.js import JetStreamContext

from qiki.contracts import topics
from qiki.runtime.nats import new_client
from qiki.runtime.stream import Begin, StreamReader
from qiki_harness.errors import DeadlineError
from qiki_harness.twin.history import Ledger

T = TypeVar("T")

# Radar and tracker grow by the second: on a stack that has long been running nobody wants all of it.
_FAST_STREAMS = (topics.QIKI_RADAR_V1, topics.QIKI_TRACKER_V1)
_SLOW_STREAMS = (topics.QIKI_EVENTS_V1, topics.QIKI_DLQ_V1)
_NOT_KEPT = tuple(topic.subject for topic in (topics.TELEMETRY, topics.TRUTH, topics.RESPONSES, topics.AGENT_STATE))
_POLL_S = 0.02
_REQUEST_S = 10.0
_HISTORY_S = 120.0


class Wire:
    """NATS for a synchronous caller.

    Args:
        url: of the broker
        ledger: where everything is taken down
        since: how far to look back into the streams that grow fast; None: to their beginning
    """

    def __init__(self, url: str, ledger: Ledger, since: datetime | None = None) -> None:
        self._url = url
        self._ledger = ledger
        self._since = since
        self._client = new_client()
        self._connected = asyncio.Event()
        self._ready: Future[None] = Future()
        self._caught_up: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, name=f"twin {url}", daemon=True)
        self._loop: asyncio.AbstractEventLoop
        self._work: asyncio.Task[None] | None = None

    def open(self, deadline_s: float) -> None:
        """Connect, and take down what was stored before; from then on nothing is missed.

        Raises:
            DeadlineError: nobody answers, or there is too much of it.
        """
        _await_listener(self._url, deadline_s)
        self._thread.start()
        try:
            self._ready.result(deadline_s)
        except TimeoutError:
            raise DeadlineError(f"NATS at {self._url} did not take a client within {deadline_s:g} s") from None
        try:
            self._caught_up.result(_HISTORY_S)
        except TimeoutError:
            raise DeadlineError(f"NATS at {self._url} did not give its history within {_HISTORY_S:g} s") from None

    def close(self) -> None:
        """Disconnect, and end the thread."""
        if self._work and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._work.cancel)
            self._thread.join(_REQUEST_S)

    def call(self, work: Callable[[Client, JetStreamContext], Awaitable[T]], deadline_s: float = _REQUEST_S) -> T:
        """Do something with the connection, once it is up, and wait for its result.

        Raises:
            DeadlineError: not in time.
        """

        async def do() -> T:
            await self._connected.wait()  # what is sent into a break may be lost
            return await work(self._client, self._client.jetstream(timeout=deadline_s))

        try:
            return asyncio.run_coroutine_threadsafe(asyncio.wait_for(do(), deadline_s), self._loop).result()
        except TimeoutError:
            raise DeadlineError(f"NATS at {self._url} did not answer within {deadline_s:g} s") from None

    def publish(self, subject: str, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        """Publish and see it off."""

        async def do(client: Client, _: JetStreamContext) -> None:
            await client.publish(subject, body, headers=dict(headers) if headers else None)
            await client.flush()

        self.call(do)

    def ask(self, subject: str, body: bytes, deadline_s: float) -> None:
        """Publish as soon as somebody listens there, who may only be coming back, and wait for his answer.

        Raises:
            DeadlineError: there was none in time.
        """

        async def do(client: Client, _: JetStreamContext) -> None:
            while True:
                try:
                    await client.request(subject, body, timeout=deadline_s)
                except NoRespondersError:
                    await asyncio.sleep(_POLL_S)
                else:
                    return

        self.call(do, deadline_s)

    def check(self) -> None:
        """Raise what ended the thread, if it has ended: that is a bug, and nobody need wait any longer."""
        work = self._work
        if work and work.done() and not work.cancelled() and (error := work.exception()):
            raise error

    def _run(self) -> None:
        try:
            asyncio.run(self._live())
        except asyncio.CancelledError:
            pass
        except Exception as error:  # told to whoever waits
            for future in (self._ready, self._caught_up):
                if not future.done():
                    future.set_exception(error)

    async def _live(self) -> None:
        """Make the work known, do it, and disconnect at its end."""
        self._loop = asyncio.get_running_loop()
        self._work = asyncio.create_task(self._listen())
        try:
            await self._work
        finally:
            await self._client.close()

    async def _listen(self) -> None:
        begin = self._since or Begin.OLDEST
        readers = [StreamReader(self._client, stream, self._stored, begin) for stream in _FAST_STREAMS]
        readers += [StreamReader(self._client, stream, self._stored) for stream in _SLOW_STREAMS]

        async def lost() -> None:
            self._ledger.breaks.append(datetime.now(UTC))
            self._connected.clear()
            for reader in readers:
                reader.lost()

        async def restored() -> None:
            self._connected.set()

        await self._client.connect(
            self._url,
            name="twin",
            max_reconnect_attempts=-1,
            reconnect_time_wait=0.1,  # type: ignore[arg-type]  # it takes fractions
            ping_interval=2,
            max_outstanding_pings=2,
            disconnected_cb=lost,
            reconnected_cb=restored,
            error_cb=_ignore,
        )
        for subject in _NOT_KEPT:
            await self._client.subscribe(subject, cb=self._passed, pending_msgs_limit=0, pending_bytes_limit=0)
        await self._client.flush()
        self._connected.set()
        async with asyncio.TaskGroup() as group:
            for reader in readers:
                group.create_task(reader.run())
            self._ready.set_result(None)
            for reader in readers:
                await reader.caught_up.wait()
            self._caught_up.set_result(None)

    def _stored(self, message: Msg, sequence: int) -> None:
        self._ledger.add(message.subject, message.data, message.headers, sequence)

    async def _passed(self, message: Msg) -> None:
        self._ledger.add(message.subject, message.data, message.headers)


async def _ignore(error: Exception) -> None:
    """That the broker is away shows in what does not come; tests kill it on purpose."""


def _await_listener(url: str, deadline_s: float) -> None:
    parts = urlsplit(url)
    end_s = time.monotonic() + deadline_s
    while True:
        try:
            socket.create_connection((parts.hostname or "127.0.0.1", parts.port or 4222), timeout=1).close()
        except OSError as error:
            if time.monotonic() > end_s:
                raise DeadlineError(f"nobody answers at NATS_URL={url}: {error}") from None
            time.sleep(_POLL_S)
        else:
            return
