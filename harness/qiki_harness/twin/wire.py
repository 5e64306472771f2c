"""The connection behind a twin: a thread of its own with an event loop, which keeps all that passes."""

import asyncio
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Future
from datetime import UTC, datetime
from functools import partial
from types import MappingProxyType
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import NoRespondersError
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError

from qiki.contracts.topics import Topic
from qiki.runtime.identities.credentials import nats_options
from qiki.runtime.nats import new_client, reachable
from qiki.runtime.stream import Begin, StreamReader
from qiki_harness.errors import DeadlineError, HarnessError
from qiki_harness.twin.records import Record

P = TypeVar("P")
T = TypeVar("T")

HISTORY_S = 120.0
_POLL_S = 0.02
_REQUEST_S = 10.0


class Sink(Protocol):
    """Takes what passes, in the thread of the wire; `topics` are those that are wanted."""

    topics: tuple[Topic[Any], ...]

    def take(self, message: Msg, sequence: int) -> None:
        """Take a message; its place in its stream is 0 where it is not kept."""

    def withdraw(self, stream: str, behind: int) -> None:
        """Forget the messages of a stream behind a sequence."""

    def broke(self, moment: datetime) -> None:
        """Note that the connection broke: what passes until it is back and is not kept is missed."""


class Wire:
    """NATS for a synchronous caller.

    Args:
        url: of the broker
        sink: where all messages of its topics go
        begin: where to begin in a stream
        keys: folder of the credentials; None: as the viewer, who follows no stream
        begin_of: where to begin in some streams instead, by their names
    """

    def __init__(
        self,
        url: str,
        sink: Sink,
        begin: Begin | datetime = Begin.OLDEST,
        keys: str | None = None,
        begin_of: Mapping[str, Begin | datetime] = MappingProxyType({}),
    ) -> None:
        self._url = url
        self._keys = keys
        self._sink = sink
        self._client = new_client()
        self._readers = [
            StreamReader(
                self._client,
                stream,
                sink.take,
                begin_of.get(stream, begin),
                cut=partial(sink.withdraw, stream),
            )
            for stream in dict.fromkeys(topic.stream for topic in sink.topics if topic.stream is not None)
        ]
        self._connected = asyncio.Event()
        self._ready: Future[None] = Future()
        self._caught_up: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, name=f"twin {url}", daemon=True)
        self._loop: asyncio.AbstractEventLoop
        self._work: asyncio.Task[None] | None = None

    @property
    def caught_up(self) -> bool:
        """True once all that was stored before has come."""
        return self._caught_up.done()

    def open(self, deadline_s: float, history_s: float | None = HISTORY_S) -> None:
        """Connect, and read what was stored before; from then on nothing is missed.

        Args:
            deadline_s: for the connection
            history_s: for what was stored before; None: do not wait for it

        Raises:
            DeadlineError: the broker does not answer, or the history is too long.
        """
        self._thread.start()
        for future, seconds, problem in (
            (self._ready, deadline_s, f"NATS does not answer at NATS_URL={self._url}"),
            (self._caught_up, history_s, f"NATS at {self._url} did not give its history"),
        ):
            if seconds is None:
                continue
            try:
                future.result(seconds)
            except TimeoutError:
                self.close()
                raise DeadlineError(f"{problem} within {seconds:g} s") from None

    def catch_up(self, deadline_s: float) -> None:
        """Wait until all that is stored now has come.

        Raises:
            DeadlineError: not in time.
        """

        async def ends(_: Client, jetstream: JetStreamContext) -> list[int]:
            states = [(await jetstream.stream_info(one.stream)).state for one in self._readers]
            return [state.last_seq if state.messages else 0 for state in states]

        newest, until_s = self.call(ends, deadline_s), time.monotonic() + deadline_s
        while any(one.last < end for one, end in zip(self._readers, newest, strict=True)):
            if time.monotonic() > until_s:
                raise DeadlineError(f"NATS at {self._url} did not give all that it keeps within {deadline_s:g} s")
            time.sleep(_POLL_S)

    def close(self) -> None:
        """Disconnect, and end the thread."""
        if self._work and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._work.cancel)
            self._thread.join(_REQUEST_S)

    def call(self, work: Callable[[Client, JetStreamContext], Awaitable[T]], deadline_s: float = _REQUEST_S) -> T:
        """Run work on the connection, once it is up, and wait for its result.

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

    def ask(self, subject: str, body: bytes, deadline_s: float) -> None:
        """Send a request, repeat it while there is no responder, and wait for its answer.

        Raises:
            DeadlineError: no answer in time.
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
        """Raise what ended the thread, if a bug has ended it."""
        work = self._work
        if work and work.done() and not work.cancelled() and (error := work.exception()):
            raise error

    def _run(self) -> None:
        try:
            asyncio.run(self._live())
        except asyncio.CancelledError:
            pass
        except Exception as error:  # `open` raises it
            for future in (self._ready, self._caught_up):
                if not future.done():
                    future.set_exception(error)

    async def _live(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._work = asyncio.current_task()
        await reachable(self._url, asyncio.Event())
        await self._connect()
        try:
            await self._listen()
        finally:
            await self._client.close()

    async def _listen(self) -> None:
        for topic in self._sink.topics:
            if topic.stream is None:
                subject = topic.subject
                await self._client.subscribe(subject, cb=self._take, pending_msgs_limit=0, pending_bytes_limit=0)
        await self._client.flush()
        self._connected.set()
        async with asyncio.TaskGroup() as group:
            for one in self._readers:
                group.create_task(one.run())
            self._ready.set_result(None)
            for one in self._readers:
                await one.caught_up.wait()
            self._caught_up.set_result(None)

    async def _connect(self) -> None:
        async def lost() -> None:
            self._sink.broke(datetime.now(UTC))
            self._connected.clear()
            for one in self._readers:
                one.lost()

        async def restored() -> None:
            self._connected.set()

        async def failed(_: Exception) -> None:
            """Ignore it: a wait that fails says that the connection broke."""

        await self._client.connect(
            self._url,
            name="twin",
            max_reconnect_attempts=-1,
            reconnect_time_wait=0.1,  # type: ignore[arg-type]  # it takes fractions
            ping_interval=2,
            max_outstanding_pings=2,
            disconnected_cb=lost,
            reconnected_cb=restored,
            error_cb=failed,
            **nats_options(self._keys, self._url),
        )

    async def _take(self, message: Msg) -> None:
        self._sink.take(message, 0)


def check_listening(url: str, deadline_s: float) -> None:
    """Connect to the broker once: `Wire.open` would wait for one that refuses, as it may be starting.

    Raises:
        HarnessError: there is none.
    """
    parts = urlsplit(url)
    try:
        socket.create_connection((parts.hostname, parts.port or 4222), deadline_s).close()
    except OSError as error:
        raise HarnessError(f"NATS does not answer at NATS_URL={url}: {error}") from None


async def newest(jetstream: JetStreamContext, topic: Topic[P], count: int) -> list[Record[P]]:
    """Return those of the newest messages of a topic's stream that belong to it, oldest first."""
    stream = str(topic.stream)
    state = (await jetstream.stream_info(stream)).state
    begin = max(state.first_seq, state.last_seq - count + 1)

    async def get(sequence: int) -> Record[P] | None:
        try:
            message = await jetstream.get_msg(stream, sequence)
        except NotFoundError:
            return None
        subject, body, headers = str(message.subject), message.data or b"", message.headers or {}
        return Record(subject, body, headers, sequence, topic) if topic.covers(subject) else None

    found = await asyncio.gather(*map(get, range(begin, state.last_seq + 1)))
    return [record for record in found if record]
