"""Completion of frames, in their order: tracks stored, frame announced, frame acknowledged. Some overlap."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import nats.errors

from faststream_bridge.frames import Acknowledge
from qiki.contracts.headers import Message
from qiki.runtime.publisher import Publisher, RefusedError
from qiki.runtime.tasks import TaskGroup

FRAMES = 512  # in flight; as many as the durable delivers unacknowledged
GATHER_S = 0.02  # no acknowledgement is urgent: without it a frame comes again, as a duplicate


@dataclass
class Job:
    """One frame to be completed."""

    sequence: int  # of the frame in its stream
    acknowledge: Acknowledge  # called at the end
    stored: Sequence["asyncio.Future[None]"] = ()  # done once what the frame gave is stored
    announcement: Message | None = None  # published then, if any
    snapshot: bytes | None = None  # content of the snapshot that covers this frame, if one is due


class Completion:
    """Two stages, each in order: wait for the tracks and announce; wait for the announcement and acknowledge."""

    def __init__(self, publisher: Publisher, keep: Callable[[bytes], None]) -> None:
        self._publisher = publisher
        self._keep = keep
        self._stepped: asyncio.Queue[Job] = asyncio.Queue()
        self._announced: asyncio.Queue[Job] = asyncio.Queue()
        self._failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._room = asyncio.Semaphore(FRAMES)

    async def room(self) -> None:
        """Wait until another frame may be added."""
        await self._room.acquire()

    def add(self, job: Job) -> None:
        """Add a frame; frames come in the order of their sequence."""
        self._stepped.put_nowait(job)

    def fail(self, error: Exception) -> None:
        """End `run` with the error of a step: the caller of the step may swallow it."""
        if not self._failure.done():
            self._failure.set_exception(error)

    async def run(self) -> None:
        """Run both stages until one fails."""
        async with TaskGroup() as group:
            for stage in (self._fail(), self._announce(), self._acknowledge()):
                group.create_task(stage)

    async def drained(self) -> None:
        """Wait until every frame is done with."""
        await self._stepped.join()
        await self._announced.join()

    async def _fail(self) -> None:
        await self._failure

    async def _announce(self) -> None:
        while True:
            job = await self._stepped.get()
            await _stored(job)
            if (message := job.announcement) is not None:
                job.stored = (await self._publisher.publish(message.subject, message.body, message.headers),)
            self._announced.put_nowait(job)
            self._stepped.task_done()

    async def _acknowledge(self) -> None:
        """Acknowledge what has gathered in a while: a write for each frame would cost as much as its tracks."""
        while True:
            jobs = [await self._announced.get()]
            await asyncio.sleep(GATHER_S)
            while not self._announced.empty():
                jobs.append(self._announced.get_nowait())
            for job in jobs:
                await _stored(job)
                with contextlib.suppress(nats.errors.Error):  # then it comes again, as a duplicate
                    await job.acknowledge()
                if job.snapshot is not None:
                    await asyncio.to_thread(self._keep, job.snapshot)  # a sync of the disk may take a second
                self._room.release()
                self._announced.task_done()


async def _stored(job: Job) -> None:
    """Wait until it is; what the server will never take is lost, and shows on readiness."""
    for stored in job.stored:
        with contextlib.suppress(RefusedError):
            await stored
