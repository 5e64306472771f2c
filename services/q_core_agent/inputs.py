"""What the agent sees, from NATS into the observer: streams read by sequence, telemetry as it passes."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import structlog
from nats.aio.msg import Msg

from q_core_agent.messages import read_alert, read_buried, read_cleared, read_gap, read_track, read_tracked
from q_core_agent.metrics import REFUSED
from q_core_agent.stored import newest, newest_frame
from qiki.agent.perception.lost_frames import LostFrames
from qiki.agent.perception.observer import Observer
from qiki.contracts import topics
from qiki.contracts.events import GUARD_CLEARED, GUARD_RESUMED, RADAR_GAP
from qiki.contracts.headers import REASON
from qiki.contracts.models import TelemetrySnapshot
from qiki.runtime.health import Health
from qiki.runtime.nats import Link
from qiki.runtime.reading import read_payload
from qiki.runtime.stream import Begin, StreamReader

CONDITION = "inputs"
GUARD = (topics.GUARD.subject, GUARD_RESUMED.subject, GUARD_CLEARED.subject)
LOOK_S = 0.1
TELL_EVERY_S = 1.0
Way = tuple[Callable[[Msg], tuple[Any, ...]], Callable[..., None]]
log = structlog.get_logger()


class Inputs:
    """Feeds the observer.

    Args:
        observer: who is fed
        health: told whether everything is listened to, and whether anything came
        lockstep: simulated time is the agent's clock, and a frame that is there already may be all that comes

    Attributes:
        telemetry: the newest
        lost: frames that nothing will come of
        caught_up: what the guard said before this process began is read: an alert is believed until its end is
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
        self._told_s = float("-inf")
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
        """The agent's clock: of the wall, or in lockstep simulated Unix time, as telemetry tells it."""
        if not self._lockstep:
            return time.monotonic()
        return self.telemetry.timestamp.timestamp() if self.telemetry else 0.0

    async def run(self, link: Link) -> None:
        """Listen for ever; alerts are read from the oldest kept, for they may hold still."""
        begin = await newest_frame(link) if self._lockstep else Begin.NEW
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
        async with asyncio.TaskGroup() as group:
            for reader in readers:
                group.create_task(reader.run())
            group.create_task(self._catch_up(link))
            group.create_task(self._watch(readers))

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for something that what comes brings about."""
        while not condition():
            self._came.clear()
            await self._came.wait()

    async def _catch_up(self, link: Link) -> None:
        stored = [await newest(link, topics.QIKI_EVENTS_V1, subject) for subject in GUARD]
        last = max(message.seq or 0 if message else 0 for message in stored)
        await self.until(lambda: self._guard_read >= last)
        self.caught_up = True
        self._came.set()

    def _stored(self, message: Msg, sequence: int) -> None:
        if message.subject in GUARD:
            self._guard_read = sequence
        read, take = self._way(message)
        try:
            values = read(message)
        except (ValueError, LookupError) as error:
            self._refuse(message.subject, sequence, error)
        else:
            take(*values, sequence, self.now_s)
        self._came.set()

    def _way(self, message: Msg) -> Way:
        """How a message is read, and who takes it."""
        if message.subject == topics.TRACKED.subject and REASON in (message.headers or {}):
            return read_buried, self._take_lost  # not even that nobody is there was seen
        return self._ways[message.subject]

    def _take_lost(self, run: str, first: int, last: int, *_: object) -> None:
        self.lost.add(run, first, last)

    async def _passed(self, message: Msg) -> None:
        try:
            snapshot = read_payload(TelemetrySnapshot, message.data)
        except ValueError as error:
            self._refuse(message.subject, None, error)
        else:
            self.telemetry = snapshot
            self._observer.take_telemetry(snapshot, self.now_s)
            self._came.set()

    def _refuse(self, subject: str, sequence: int | None, error: Exception) -> None:
        """Count what cannot be read; tell of it once a second at most."""
        REFUSED.labels(subject).inc()
        wall_s = time.monotonic()
        if wall_s - self._told_s >= TELL_EVERY_S:
            self._told_s = wall_s
            reason = " ".join(f"{type(error).__name__}: {error}".split())[:200]
            log.warning("input refused", subject=subject, sequence=sequence, reason=reason)

    async def _watch(self, readers: tuple[StreamReader, ...]) -> None:
        """Keep the readiness true."""
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
