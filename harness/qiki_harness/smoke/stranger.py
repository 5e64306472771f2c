"""The stranger on its way: another radar's frames, published as they would come."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import uuid4

from qiki.contracts import topics
from qiki.runtime.cancellation import end_if_cancelled
from qiki.runtime.clock import now
from qiki_harness.smoke.intruder import PERIOD_S, Radar, Sighting, approach, departure, headers, stay
from qiki_harness.smoke.session import Session

_HEAD_START = timedelta(seconds=30)
"""Its time begins in the past, so that what is sent at once is not of the future."""


@asynccontextmanager
async def close_by(session: Session) -> AsyncIterator[str]:
    """A stranger comes close, stays for as long as the context lasts, and goes, whatever happened; gives its run."""
    radar = Radar(uuid4(), now() - _HEAD_START)
    try:
        for sighting in approach():
            await _send(session, radar, sighting)
            end_if_cancelled()
        async with _standing(session, radar):
            yield str(radar.sensor_id)
    finally:
        for sighting in departure():
            await _send(session, radar, sighting)


@asynccontextmanager
async def _standing(session: Session, radar: Radar) -> AsyncIterator[None]:
    leaving = asyncio.Event()
    standing = asyncio.create_task(_stand(session, radar, leaving))
    try:
        yield
    finally:
        leaving.set()
        await standing


async def _stand(session: Session, radar: Radar, leaving: asyncio.Event) -> None:
    while not leaving.is_set():
        await _send(session, radar, stay())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PERIOD_S):
                await leaving.wait()


async def _send(session: Session, radar: Radar, sighting: Sighting) -> None:
    frame = radar.frame(sighting)
    await session.jetstream.publish(topics.FRAMES.subject, frame.to_json(), headers=headers(frame))
