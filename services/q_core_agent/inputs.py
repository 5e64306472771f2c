"""The agent's inputs, from NATS into the observer: streams read by sequence, telemetry as it comes."""

import asyncio
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import structlog
from nats.aio.msg import Msg
from nats.js.api import RawStreamMsg

from q_core_agent.messages import read_alert, read_buried, read_cleared, read_gap, read_track, read_tracked
from q_core_agent.metrics import REFUSED
from qiki.agent.perception.lost_frames import LostFrames
from qiki.agent.perception.observer import Observer
from qiki.contracts import topics
from qiki.contracts.events import GUARD_CLEARED, GUARD_RESUMED, RADAR_GAP
from qiki.contracts.headers import REASON
from qiki.contracts.models import TelemetrySnapshot
from qiki.runtime.dead_letters import reason_text
from qiki.runtime.health import Health
from qiki.runtime.nats import Link
from qiki.runtime.reading import read_payload
from qiki.runtime.retry import last_message, patiently
from qiki.runtime.stream import Begin, StreamReader
from qiki.runtime.tasks import TaskGroup

CONDITION = "inputs"
GUARD = (topics.GUARD.subject, GUARD_RESUMED.subject, GUARD_CLEARED.subject)
LOOK_S = 0.1
LOG_EVERY_S = 1.0
BEFORE = timedelta(seconds=10)
"""A frame's tracks are stored no longer before its notice."""
Way = tuple[Callable[[Msg], tuple[Any, ...]], Callable[..., None]]
log = structlog.get_logger()


class Inputs:
    """Feeds the observer.

    Args:
        observer: takes what is read
        health: ready once every input is followed and telemetry has come
        lockstep: simulated time is the agent's clock, and the newest stored frame may be the only one that comes

    Attributes:
        telemetry: the newest
        lost: frames that will give no tracks
        caught_up: the guard's messages from before this process are read; an alert holds until its end is read
    """

    def __init__(self, observer: Observer, health: Health, *, lockstep: bool) -> None:
        self.telemetry: TelemetrySnapshot | None = None
        self.lost = LostFrames()
        self._observer = observer
        self._lockstep = lockstep
        self._health = health
        self.caught_up = False
        self._guard_read = 0
        self._came = asyncio.Event()
        self._logged_s = float("-inf")
        self._ways: dict[str, Way] = {
            topics.TRACKED.subject: (read_tracked, observer.take_tracked),
            topics.TRACKS.subject: (read_track, observer.take_track),
            topics.GUARD.subject: (read_alert, observer.take_alert),
            GUARD_RESUMED.subject: (read_alert, observer.take_resumed),
            GUARD_CLEARED.subject: (read_cleared, observer.take_cleared),
            RADAR_GAP.subject: (read_gap, self._take_lost),
        }
        health.wait_for(CONDITION, "not listened to yet")

    @property
    def now_s(self) -> float:
        """The agent's clock: monotonic wall time, or in lockstep the simulated Unix time of telemetry."""
        if not self._lockstep:
            return time.monotonic()
        return self.telemetry.timestamp.timestamp() if self.telemetry else 0.0

    async def run(self, link: Link) -> None:
        """Read for ever; alerts from the oldest kept, for they may still hold."""
        begin = await _newest_frame(link) if self._lockstep else Begin.NEW
        readers = (
            StreamReader(link.client, topics.QIKI_TRACKER_V1, self._stored, begin, (topics.TRACKED.subject,)),
            StreamReader(link.client, topics.QIKI_RADAR_V1, self._stored, begin, (topics.TRACKS.subject,)),
            StreamReader(link.client, topics.QIKI_EVENTS_V1, self._stored, Begin.OLDEST, (*GUARD, RADAR_GAP.subject)),
        )

        async def lost() -> None:
            for reader in readers:
                reader.lost()

        link.hooks.on_lost.append(lost)
        await link.client.subscribe(topics.TELEMETRY.subject, cb=self._passed)
        async with TaskGroup() as group:
            for reader in readers:
                group.create_task(reader.run())
            group.create_task(self._catch_up(link))
            group.create_task(self._watch(readers))

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until an input makes a condition true."""
        while not condition():
            self._came.clear()
            await self._came.wait()

    async def _catch_up(self, link: Link) -> None:
        stored = [await _newest(link, topics.QIKI_EVENTS_V1, subject) for subject in GUARD]
        last = max(message.seq or 0 if message else 0 for message in stored)
        await self.until(lambda: self._guard_read >= last)
        self.caught_up = True
        self._came.set()

    def _stored(self, message: Msg, sequence: int) -> None:
        if message.subject in GUARD:
            self._guard_read = sequence
        try:
            read, take = self._way(message)
            take(*read(message), sequence, self.now_s)
        except Exception as error:  # a publisher chooses what it sends; the next message is read whatever it is
            self._refuse(message.subject, sequence, error)
        self._came.set()

    def _way(self, message: Msg) -> Way:
        """Return how a message is read, and what takes it."""
        if message.subject == topics.TRACKED.subject and REASON in (message.headers or {}):
            return read_buried, self._take_lost  # the frame could not be read
        return self._ways[message.subject]

    def _take_lost(self, run: str, first: int, last: int, *_: object) -> None:
        self.lost.add(run, first, last)

    async def _passed(self, message: Msg) -> None:
        try:
            self.telemetry = snapshot = read_payload(TelemetrySnapshot, message.data)
            self._observer.take_telemetry(snapshot, self.now_s)
        except Exception as error:
            self._refuse(message.subject, None, error)
        self._came.set()

    def _refuse(self, subject: str, sequence: int | None, error: Exception) -> None:
        """Count a message that cannot be used; log once a second at most."""
        REFUSED.labels(subject).inc()
        wall_s = time.monotonic()
        if wall_s - self._logged_s >= LOG_EVERY_S:
            self._logged_s = wall_s
            log.warning("input refused", subject=subject, sequence=sequence, reason=reason_text(error)[:200])

    async def _watch(self, readers: tuple[StreamReader, ...]) -> None:
        """Be ready while every input is read."""
        while True:
            if not all(reader.following.is_set() for reader in readers):
                self._health.wait_for(CONDITION, "a stream is not followed yet")
            elif not self.caught_up:
                self._health.wait_for(CONDITION, "alerts of before are not read yet")
            elif self.telemetry is None:
                self._health.wait_for(CONDITION, f"nothing came on {topics.TELEMETRY.subject} yet")
            else:
                self._health.met(CONDITION)
            await asyncio.sleep(LOOK_S)


async def _newest(link: Link, stream: str, subject: str) -> RawStreamMsg | None:
    """Return the newest message of a subject; wait for the broker and the stream."""
    return await patiently(lambda: last_message(link.jetstream, stream, subject), answers=())


async def _newest_frame(link: Link) -> Begin | datetime:
    """Return where to begin with tracks so that the newest frame is among them."""
    message = await _newest(link, topics.QIKI_TRACKER_V1, topics.TRACKED.subject)
    return message.time - BEFORE if message and message.time else Begin.OLDEST
