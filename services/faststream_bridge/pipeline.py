"""Frames in the order of the stream, each exactly once: step, publish, hand over to completion."""

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime
from time import monotonic

from nats.aio.msg import Msg
from prometheus_client import Counter, Gauge, Histogram

from faststream_bridge.completion import Completion, Job
from faststream_bridge.frames import Delivery, Poison, PoisonError, StoredFrame
from faststream_bridge.progress import JumpError, OldFrames
from faststream_bridge.runs import Runs
from faststream_bridge.snapshot import FailureNote, Snapshot
from faststream_bridge.stream import Newest, Position, StoredFrames
from qiki.clock import rfc3339
from qiki.contracts import topics
from qiki.guard.messages import (
    buried_message,
    encoded_track_messages,
    estimates_messages,
    guard_messages,
    spoofer_messages,
    tracked_message,
)
from qiki.guard.tracked_run import Tracked
from qiki.runtime.clock import now
from qiki.runtime.dead_letters import Stored, bury, reason_text
from qiki.runtime.publisher import Publisher

FRAMES = Counter("qiki_bridge_frames_total", "Frames handled", ["outcome"])
TRACKS = Gauge("qiki_radar_active_tracks", "Tracks in the newest frame")
STEP = Histogram(
    "qiki_bridge_step_seconds", "From a frame to its tracks", buckets=(0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.05)
)
TURN_S = 0.01  # of frames in a row, before other tasks have their turn


class Pipeline:
    """Takes what the durable delivers, and reads by sequence what a lost delivery skipped.

    `where` is the bridge's position at its start: an earlier process published the frames up to `where.announced`, and
    noted in `failures` the frame that it failed on. Snapshots are `snapshot_interval_s` of wall time apart.
    """

    def __init__(
        self,
        runs: Runs,
        publisher: Publisher,
        completion: Completion,
        stored: StoredFrames,
        where: Position,
        failures: FailureNote,
        snapshot_interval_s: float,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._runs = runs
        self._publisher = publisher
        self._completion = completion
        self._stored = stored
        self._where = where
        self._failures = failures
        self._interval_s = snapshot_interval_s
        self._clock = clock
        self._snapshot_due_s = clock()
        self._order = asyncio.Lock()
        self._sequence = 0
        self._newest = Newest()
        self._old = OldFrames()
        self._delivered = 0
        self._skipped = False
        self._closed = False

    @property
    def sequence(self) -> int:
        """Everything up to it has been handled."""
        return self._sequence

    async def resume(self, sequence: int) -> None:
        """Begin behind `sequence`, the last one that the state covers; handle what a dead process had been given."""
        where = self._where
        self._sequence = sequence
        self._newest.note(await self._stored.when(sequence))
        self._delivered = where.delivered_count
        async with self._order:
            async for delivery in self._stored.between(where.floor + 1, sequence):
                await self._seen(delivery)
            await self._catch_up(where.delivered)

    async def take_all(self, messages: Iterable[Msg]) -> None:
        """Handle messages that the durable delivered, each by itself.

        Behind a backlog other tasks run once in a while only: then the messages of several frames, and their notices,
        go out in one write.
        """
        turn_s = self._clock() + TURN_S
        for message in messages:
            if self._closed:
                return
            await self.take(Delivery.of_message(message))
            if self._clock() >= turn_s:
                await asyncio.sleep(0)
                turn_s = self._clock() + TURN_S

    async def take(self, delivery: Delivery) -> None:
        """Handle what the durable delivered."""
        async with self._order:
            if self._closed:
                return
            try:
                await self._take(delivery)
            except Exception as error:  # FastStream would say nothing and go on with the next frame
                self._closed = True
                self._completion.fail(error)

    async def _take(self, delivery: Delivery) -> None:
        # A lost delivery may show at a frame that comes again, behind it: the next new frame is then not the next one.
        self._skipped = self._skipped or delivery.count > self._delivered + 1
        self._delivered = max(self._delivered, delivery.count)
        if delivery.sequence <= self._sequence:
            self._newest.check(delivery.stored)
            await self._seen(delivery)
            return
        skipped, self._skipped = self._skipped, False
        if skipped:
            await self._catch_up(delivery.sequence - 1)
        await self._handle(delivery)

    async def close(self) -> None:
        """Finish the frame in hand; what is delivered after that stays unacknowledged for the next process."""
        self._closed = True
        async with self._order:
            pass

    async def _seen(self, delivery: Delivery) -> None:
        """Acknowledge a duplicate, behind its own job, which may have been read by sequence and know no delivery."""
        FRAMES.labels("redelivered").inc()
        await self._completion.room()
        self._completion.add(Job(delivery.sequence, delivery.acknowledge))

    async def _catch_up(self, last: int) -> None:
        async for delivery in self._stored.between(self._sequence + 1, last):
            await self._handle(delivery)

    async def _handle(self, delivery: Delivery) -> None:
        await self._completion.room()
        job = Job(delivery.sequence, delivery.acknowledge)
        content = delivery.content
        if self._failures.names(self._where.stream, delivery.sequence):
            content = Poison("the tracker failed on it; the bridge's log has the traceback", content.origin)
        poison = content if isinstance(content, Poison) else await self._track(content, job, delivery.stored)
        if poison is not None:
            FRAMES.labels("poison").inc()
            await self._bury(delivery, poison, job)
        self._sequence = delivery.sequence
        self._newest.note(delivery.stored)
        if self._clock() >= self._snapshot_due_s:
            self._snapshot_due_s = self._clock() + self._interval_s
            job.snapshot = self.snapshot()
        self._completion.add(job)

    async def _bury(self, delivery: Delivery, poison: Poison, job: Job) -> None:
        if delivery.sequence <= self._where.announced:
            return
        stored = Stored(topics.FRAMES.subject, topics.QIKI_RADAR_V1, delivery.sequence, delivery.body)
        job.stored = (await bury(self._publisher, stored, poison.reason),)
        origin = poison.origin  # the notice of a run's frame ends the wait for its tracks
        if origin is not None and self._runs.is_new(origin):
            reason = reason_text(poison.reason)
            job.announcement = buried_message(origin, delivery.headers or {}, delivery.sequence, reason)

    async def _track(self, stored: StoredFrame, job: Job, at: datetime | None) -> Poison | None:
        """Step the tracker and publish what it gives; return why it cannot take the frame."""
        try:
            with STEP.time():
                tracked = self._runs.step(stored, at)
        except JumpError as error:  # not the run's: no notice says that its frame is in the dead letters
            return Poison(str(error))
        except PoisonError as error:
            return Poison(str(error), stored.origin)
        except Exception:  # a bug, which may have spoilt the tracks: start again from the snapshot
            self._failures.write(self._where.stream, job.sequence)
            raise
        FRAMES.labels("old" if tracked is None else "tracked").inc()
        if tracked is None:
            self._old.note(stored, job.sequence, self._clock())
        else:
            TRACKS.set(len(tracked.reports))
            if job.sequence > self._where.announced:
                await self._publish(tracked, job)
        return None

    async def _publish(self, tracked: Tracked, job: Job) -> None:
        tracks = encoded_track_messages(tracked, rfc3339(now()))
        found = (*guard_messages(tracked), *spoofer_messages(tracked))
        first = await self._publisher.publish_all([*tracks, *found])
        estimates = estimates_messages(tracked)  # while the tracks are on their way
        job.stored = first, await self._publisher.publish_all(estimates)
        job.announcement = tracked_message(tracked, job.sequence, len(estimates))

    def snapshot(self) -> bytes:
        """Return the state now."""
        return Snapshot(self._where.stream, self._sequence, self._newest.stored, self._runs.snapshot()).to_bytes()
