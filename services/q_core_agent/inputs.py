"""The agent's inputs, from NATS into the observer: streams read by sequence, telemetry as it comes."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import nats.errors
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg

from q_core_agent.metrics import REFUSED
from qiki.agent.perception.observer import Observer
from qiki.contracts import topics
from qiki.contracts.estimates import MAX_ESTIMATES_BYTES, TrackEstimates
from qiki.contracts.events import GUARD_CLEARED, GUARD_RESUMED, RADAR_GAP, GuardCleared, RadarGap
from qiki.contracts.headers import ALERTS, ESTIMATES, FRAME, REASON, RUN
from qiki.contracts.numbers import MAX_COUNT, MAX_FRAME, whole_number
from qiki.contracts.radar import GuardAlert, RadarTrack, TrackedFrame
from qiki.contracts.telemetry import TelemetrySnapshot
from qiki.runtime.dead_letters import reason_text
from qiki.runtime.health import Health
from qiki.runtime.nats import Link
from qiki.runtime.reading import read_payload
from qiki.runtime.retry import last_message, patiently
from qiki.runtime.stream import Begin, StreamReader
from qiki.runtime.tasks import TaskGroup

CONDITION = "inputs"
GUARD = (topics.GUARD.subject, GUARD_RESUMED.subject, GUARD_CLEARED.subject)
LOG_EVERY_S = 1.0
KEPT_GAPS = 256
MAX_BYTES = {topics.ESTIMATES.subject: MAX_ESTIMATES_BYTES + 4096, topics.TELEMETRY.subject: 256 * 1024}
MAX_BYTES_OF_OTHERS = 8192
"""A body of several times what its publisher sends, which the agent would keep, is refused unread."""
BEFORE = timedelta(seconds=10)
"""A frame's tracks are stored no longer before its notice."""
log = structlog.get_logger()


class Inputs:
    """Feeds the observer.

    Args:
        health: ready once every input is followed and telemetry has come
        lockstep: simulated time is the agent's clock, and the newest stored frame may be the only one that comes

    Attributes:
        telemetry: the newest
        caught_up: the guard's messages from before this process are read; an alert holds until its end is read
    """

    def __init__(self, observer: Observer, health: Health, *, lockstep: bool) -> None:
        self.telemetry: TelemetrySnapshot | None = None
        self.caught_up = False
        self._observer, self._health, self._lockstep = observer, health, lockstep
        self._lost: deque[tuple[str, int, int]] = deque(maxlen=KEPT_GAPS)
        self._guard_read = 0
        self._without_estimates = 0  # sequence of the last notice whose estimates are no longer kept
        self._came = asyncio.Event()
        self._changed = asyncio.Event()
        self._logged_s = float("-inf")
        self._ways: dict[str, tuple[Callable[[Msg], tuple[Any, ...]], Callable[..., None]]] = {
            topics.TRACKED.subject: (_read_tracked, self._take_tracked),
            topics.TRACKS.subject: (_read_track, observer.take_track),
            topics.ESTIMATES.subject: (_read_estimates, observer.take_estimates),
            topics.GUARD.subject: (_read_alert, observer.take_alert),
            GUARD_RESUMED.subject: (_read_alert, observer.take_resumed),
            GUARD_CLEARED.subject: (_read_cleared, observer.take_cleared),
            RADAR_GAP.subject: (_read_gap, self._take_lost),
        }
        health.wait_for(CONDITION, "not read yet")

    @property
    def now_s(self) -> float:
        """The agent's clock: monotonic wall time, or in lockstep the simulated Unix time of telemetry."""
        if not self._lockstep:
            return time.monotonic()
        return self.telemetry.timestamp.timestamp() if self.telemetry else 0.0

    def is_lost(self, run: str, frame: int) -> bool:
        """Return whether a frame gives no tracks: it was never published, or is not readable."""
        return any(run == of and first <= frame <= last for of, first, last in self._lost)

    async def run(self, link: Link) -> None:
        """Read for ever; alerts from the oldest kept, for they may still hold."""
        begin: Begin | datetime = Begin.NEW
        if self._lockstep:  # the newest frame, with its tracks
            sequence, stored = await _newest(link, topics.QIKI_TRACKER_V1, topics.TRACKED.subject)
            kept, _ = await _newest(link, topics.QIKI_ESTIMATES_V1, topics.ESTIMATES.subject)
            self._without_estimates = 0 if kept else sequence
            begin = stored - BEFORE if stored else Begin.OLDEST
        follow = partial(StreamReader, link.client, take=self._stored, changed=self._changed.set)
        readers = (
            follow(topics.QIKI_TRACKER_V1, begin=begin, subjects=(topics.TRACKED.subject,)),
            follow(topics.QIKI_RADAR_V1, begin=begin, subjects=(topics.TRACKS.subject,)),
            follow(topics.QIKI_ESTIMATES_V1, begin=begin, subjects=(topics.ESTIMATES.subject,)),
            follow(topics.QIKI_EVENTS_V1, subjects=(*GUARD, RADAR_GAP.subject)),
        )

        async def lost() -> None:
            for reader in readers:
                reader.lost()

        link.hooks.on_lost.append(lost)
        link.hooks.on_restored.append(partial(request_telemetry, link.client))
        await link.client.subscribe(topics.TELEMETRY.subject, cb=self._passed)
        await request_telemetry(link.client)
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
        lasts = [await _newest(link, topics.QIKI_EVENTS_V1, subject) for subject in GUARD]
        await self.until(lambda: self._guard_read >= max(sequence for sequence, _ in lasts))
        self.caught_up = True
        self._came.set()
        self._changed.set()

    def _stored(self, message: Msg, sequence: int) -> None:
        if message.subject in GUARD:
            self._guard_read = sequence
        try:
            _check_size(message)
            buried = message.subject == topics.TRACKED.subject and REASON in (message.headers or {})  # not readable
            read, take = (_read_buried, self._take_lost) if buried else self._ways[message.subject]
            take(*read(message), sequence, self.now_s)
        except Exception as error:  # publishers may send anything; the next message is read all the same
            self._refuse(message.subject, sequence, error)
        self._came.set()

    def _take_tracked(self, frame: TrackedFrame, alerts: int, parts: int, sequence: int, now_s: float) -> None:
        parts = parts if sequence > self._without_estimates else 0
        self._observer.take_tracked(frame, alerts, parts, sequence, now_s)

    def _take_lost(self, run: str, first: int, last: int, *_: object) -> None:
        self._lost.append((run, first, last))

    async def _passed(self, message: Msg) -> None:
        try:
            _check_size(message)
            snapshot = read_payload(TelemetrySnapshot, message.data)
            if self.telemetry is None:
                self._changed.set()
            self.telemetry = snapshot
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
            self._changed.clear()
            if problem := self._problem(readers):
                self._health.wait_for(CONDITION, problem)
            else:
                self._health.met(CONDITION)
            await self._changed.wait()

    def _problem(self, readers: tuple[StreamReader, ...]) -> str:
        """Return the input that is not read yet, as text; empty if all are."""
        if not all(reader.following.is_set() for reader in readers):
            return "a stream is not followed yet"
        if not self.caught_up:
            return "earlier alerts are not read yet"
        return "" if self.telemetry else f"nothing came on {topics.TELEMETRY.subject} yet"


async def request_telemetry(client: Client) -> None:
    """Ask the simulator for telemetry now. One that is not there sends some when it comes."""
    with suppress(nats.errors.Error):  # the connection was lost just now
        await client.publish(topics.TELEMETRY_REQUESTS.subject)


async def _newest(link: Link, stream: str, subject: str) -> tuple[int, datetime | None]:
    """Return sequence and time of a subject's newest message, 0 for none; wait for the broker and the stream."""
    message = await patiently(lambda: last_message(link.jetstream, stream, subject), answers=())
    return (message.seq or 0, message.time) if message else (0, None)


def _check_size(message: Msg) -> None:
    most = MAX_BYTES.get(message.subject, MAX_BYTES_OF_OTHERS)
    if len(message.data) > most:
        raise ValueError(f"{len(message.data)} bytes (expected at most {most})")


def _read_tracked(message: Msg) -> tuple[TrackedFrame, int, int]:
    headers = message.headers or {}
    alerts, parts = (whole_number(headers.get(name, "0"), name, MAX_COUNT) for name in (ALERTS, ESTIMATES))
    return read_payload(TrackedFrame, message.data), alerts, parts


def _read_estimates(message: Msg) -> tuple[TrackEstimates]:
    return (read_payload(TrackEstimates, message.data),)


def _read_track(message: Msg) -> tuple[RadarTrack, str, int]:
    return read_payload(RadarTrack, message.data), *_place(message)


def _read_alert(message: Msg) -> tuple[GuardAlert, str, int]:
    return read_payload(GuardAlert, message.data), *_place(message)


def _read_cleared(message: Msg) -> tuple[GuardCleared, int]:
    return read_payload(GuardCleared, message.data), _place(message)[1]


def _read_gap(message: Msg) -> tuple[str, int, int]:
    gap = read_payload(RadarGap, message.data)
    return gap.run_id, gap.first_frame, gap.last_frame


def _read_buried(message: Msg) -> tuple[str, int, int]:
    frame = read_payload(TrackedFrame, message.data)
    return frame.run_id, frame.frame, frame.frame


def _place(message: Msg) -> tuple[str, int]:
    headers = message.headers or {}
    return headers[RUN], whole_number(headers[FRAME], FRAME, MAX_FRAME)
