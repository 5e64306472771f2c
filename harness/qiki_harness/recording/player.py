"""Publish a recording again, on a broker of its own: into streams, and to present readers, paced by event time.

A lap is one way through the recording, on fresh streams. From the second lap on, after a seek too, the run has an id of
its own, so that no reader takes its messages for duplicates. Operators pause it, let it go on at a speed, and seek.
"""

import asyncio
import contextlib
import json
import math
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID, uuid5

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import PubAck
from nats.js.errors import NotFoundError

from nats_js_init.settings import InitSettings
from nats_js_init.streams import apply, plan
from q_sim_service.answers import acknowledge
from q_sim_service.requests import read_message, salvage
from qiki.contracts import topics
from qiki.contracts.headers import Message
from qiki.contracts.topics import STREAMS
from qiki.errors import UserError
from qiki.flight.digest import run_of
from qiki.runtime.identities.credentials import nats_options
from qiki.runtime.nats import new_client
from qiki.world.commands import Pause, Start, read_command
from qiki_harness.recording.layout import Recorded, topic_of
from qiki_harness.recording.reader import Recording
from qiki_harness.recording.runs import RecordedRun

SEEK = "play.seek"
MOST_PENDING = 500
"""Messages that may be on their way to the broker while the past is filled in."""
_NS = 1e9


@dataclass(frozen=True)
class Played:
    """A message with its time since the run's first frame [s]; what belongs to no run has that of the one before."""

    t_s: float
    recorded: Recorded


def timeline(recording: Recording, run_id: str, begin_ns: int, end_ns: int) -> Iterator[Played]:
    """Yield all messages of a recording along the event time of one run, and none of other runs' frames."""
    t_s = 0.0
    for recorded in recording.messages():
        run = run_of(recorded.message)
        if run and run != run_id:
            continue
        if run and begin_ns <= recorded.event_ns <= end_ns:
            t_s = max(t_s, (recorded.event_ns - begin_ns) / _NS)
        yield Played(t_s, recorded)


class Player:
    """Plays one run of a recording.

    Args:
        recording: that is played
        run_id: of the run
        span_ns: event time of its first and last frame
        speed: seconds of event time a second
        from_s: since the first frame: what is earlier is filled in at once; infinite: all of it
    """

    def __init__(
        self, recording: Recording, run_id: str, span_ns: tuple[int, int], speed: float = 1.0, from_s: float = 0.0
    ) -> None:
        self.laps = 0
        self.t_s = 0.0
        self._recording, self._run_id, self._span_ns = recording, run_id, span_ns
        self._speed, self._paused = speed, False
        self._from_s = from_s
        self._sought: float | None = None
        self._changed = asyncio.Event()

    @classmethod
    def of(cls, run: RecordedRun, speed: float = 1.0, from_s: float = 0.0) -> "Player":
        """Return the player of a recorded run."""
        span_ns = run.summary.begin_ns, run.summary.end_ns
        return cls(run.recording, run.summary.run_id, span_ns, speed, from_s)

    async def play(self, client: Client, *, loop: bool = False, told: Callable[[str], None] = lambda _: None) -> None:
        """Play lap by lap, without end; at the end of the recording wait for a seek. `told` gets a line a lap."""

        async def commanded(message: Msg) -> None:
            await self._obey(client, message)

        await client.subscribe(topics.COMMANDS.subject, cb=commanded)
        while True:
            await fresh_streams(client)
            run_id = self._new_id()
            told(f"plays run {run_id} {self._pace()}")
            if not await self._lap(client, run_id) and not loop:
                told("the recording is at its end")
                await self._sought_again()

    def _pace(self) -> str:
        if math.isinf(self._from_s):
            return "at once"
        return f"from {self._from_s:g} s on, {self._speed:g} times real time"

    async def _lap(self, client: Client, run_id: str) -> bool:
        """Play to the end, and return False; to a seek, and return True."""
        self.laps += 1
        self._sought = None
        begun, filled = False, Filling(client.jetstream())
        for played in timeline(self._recording, self._run_id, *self._span_ns):
            message = self._renamed(played.recorded.message, run_id)
            past = played.t_s < self._from_s
            if past:
                await filled.put(message)
                continue
            if not begun:
                self.t_s, begun = self._from_s, True
                await filled.settle()
                self._anchor()
            await self._wait(played.t_s)
            if self._moved():
                return True
            await client.publish(message.subject, message.body, headers=dict(message.headers) or None)
        await filled.settle()
        await client.flush()
        self._from_s = 0.0
        return False

    async def _sought_again(self) -> None:
        while not self._moved():
            self._changed.clear()
            await self._changed.wait()

    def _moved(self) -> bool:
        """Return True after a seek: the next lap begins there."""
        if self._sought is None:
            return False
        self._from_s = self._sought
        return True

    def _anchor(self) -> None:
        """Count time from here on."""
        self._anchor_s, self._anchor_t_s = asyncio.get_running_loop().time(), self.t_s

    async def _wait(self, t_s: float) -> None:
        """Wait until the event time has come, or for a seek."""
        while self._sought is None:
            left_s = (t_s - self._anchor_t_s) / self._speed - (asyncio.get_running_loop().time() - self._anchor_s)
            if not self._paused and left_s <= 0:
                self.t_s = max(self.t_s, t_s)
                return
            self._changed.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(None if self._paused else left_s):
                    await self._changed.wait()

    def _new_id(self) -> str:
        return str(uuid5(UUID(self._run_id), f"play:{self.laps}")) if self.laps else self._run_id

    def _renamed(self, message: Message, run_id: str) -> Message:
        if run_id == self._run_id:
            return message
        body = message.body.replace(self._run_id.encode(), run_id.encode())
        headers = {name: value.replace(self._run_id, run_id) for name, value in message.headers.items()}
        return replace(message, body=body, headers=headers)

    async def _obey(self, client: Client, message: Msg) -> None:
        """Pause, go on, seek; and acknowledge, as a simulator does."""
        request, reason = salvage(message.data[:65_536]), None
        try:
            command = read_message(message.data)
            self._change(command.command_name, command.parameters)
        except (UserError, ValueError) as error:
            reason = str(error)
        body = acknowledge(request, reason).to_json()
        for subject in filter(None, (topics.RESPONSES.subject, message.reply)):
            await client.publish(subject, body)

    def _change(self, name: str, parameters: dict[str, Any]) -> None:
        """Carry out a command; UserError if a recording cannot."""
        if name == SEEK:
            self._sought = _seconds(parameters)
        else:
            match read_command(name, parameters):
                case Pause():
                    self._paused = True
                case Start(speed=speed):
                    self._paused, self._speed = False, speed or self._speed
                case _:
                    raise UserError(f"a recording obeys sim.pause, sim.start and {SEEK}, not {name}")
        self._anchor()
        self._changed.set()


class Filling:
    """Stores the past at once. A frame's notice is stored behind all that came before it, and before all that follows.

    Readers tell the moment of one stream's message by its time of storage beside another's.
    """

    def __init__(self, jetstream: JetStreamContext) -> None:
        self._jetstream = jetstream
        self._pending = list["asyncio.Future[PubAck]"]()

    async def put(self, message: Message) -> None:
        """Store a message, if a stream keeps its subject."""
        if not _is_kept(message.subject):
            return
        is_notice = message.subject == topics.TRACKED.subject
        if is_notice or len(self._pending) >= MOST_PENDING:
            await self.settle()
        headers = dict(message.headers) or None
        self._pending.append(await self._jetstream.publish_async(message.subject, message.body, headers=headers))
        if is_notice:
            await self.settle()

    async def settle(self) -> None:
        """Wait until all of them are stored."""
        pending, self._pending = self._pending, []
        await asyncio.gather(*pending)


async def fresh_streams(client: Client) -> None:
    """Delete all streams, and make them again."""
    jetstream = client.jetstream(timeout=10)
    for stream in STREAMS:
        with contextlib.suppress(NotFoundError):
            await jetstream.delete_stream(stream.name)
    await apply(jetstream, plan(InitSettings()))


@contextlib.asynccontextmanager
async def connected(url: str, keys: str) -> AsyncIterator[Client]:
    """Connect to a broker with the tests' credentials, which may do all."""
    client = new_client()
    await client.connect(url, name="player", **nats_options(keys, url))
    try:
        yield client
    finally:
        await client.close()


def _is_kept(subject: str) -> bool:
    topic = topic_of(subject)
    return topic is not None and topic.stream is not None


def _seconds(parameters: dict[str, Any]) -> float:
    t_s = parameters.get("t_s")
    if isinstance(t_s, bool) or not isinstance(t_s, int | float) or not 0 <= t_s < 1e9:
        raise UserError(f"t_s: expected seconds since the first frame, got {json.dumps(t_s)[:40]}")
    return float(t_s)
