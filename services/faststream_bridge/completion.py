"""What follows a frame's step, in the order of the frames: tracks stored, frame announced, frame acknowledged.

Many frames may be on the way at once: only the order is kept.
"""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field

import nats.errors

from faststream_bridge.frames import Acknowledge
from qiki.contracts.message import Message
from qiki.runtime.tasks import TaskGroup
from qiki.runtime.window import PublishWindow


@dataclass
class Job:
    """One frame on its way.

    Attributes:
        sequence: where the frame is stored
        pending_acks: of what must be stored first
        announcement: then published, if any
        acknowledge: then called
        snapshot: content of the snapshot that covers this frame, if it is time for one
    """

    sequence: int
    acknowledge: Acknowledge
    pending_acks: list["asyncio.Future[int]"] = field(default_factory=list)
    announcement: Message | None = None
    snapshot: bytes | None = None


class Completion:
    """Two stages, each in order: wait for the tracks and announce; wait for the announcement and acknowledge."""

    def __init__(self, window: PublishWindow, keep: Callable[[bytes], None]) -> None:
        self._window = window
        self._keep = keep
        self._stepped: asyncio.Queue[Job] = asyncio.Queue()
        self._announced: asyncio.Queue[Job] = asyncio.Queue()
        self._failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def add(self, job: Job) -> None:
        """Add a frame; frames come in the order of their sequence."""
        self._stepped.put_nowait(job)

    def fail(self, error: Exception) -> None:
        """End `run` with the error of a step: the caller of the step may swallow it."""
        if not self._failure.done():
            self._failure.set_exception(error)

    async def run(self) -> None:
        """Run both stages for ever."""
        async with TaskGroup() as group:
            group.create_task(self._fail())
            group.create_task(self._announce())
            group.create_task(self._acknowledge())

    async def drained(self) -> None:
        """Wait until every frame is done with."""
        await self._stepped.join()
        await self._announced.join()

    async def _fail(self) -> None:
        await self._failure

    async def _announce(self) -> None:
        while True:
            job = await self._stepped.get()
            for stored in job.pending_acks:
                await stored
            job.pending_acks = []
            if job.announcement is not None:
                message = job.announcement
                job.pending_acks = [await self._window.publish(message.subject, message.body, message.headers)]
            self._announced.put_nowait(job)
            self._stepped.task_done()

    async def _acknowledge(self) -> None:
        while True:
            job = await self._announced.get()
            for stored in job.pending_acks:
                await stored
            with contextlib.suppress(nats.errors.Error):  # then it comes again, as a duplicate
                await job.acknowledge()
            if job.snapshot is not None:
                self._keep(job.snapshot)
            self._announced.task_done()
