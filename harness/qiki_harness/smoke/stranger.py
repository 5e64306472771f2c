"""The stranger on its way: another radar's frames, published as they would come."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import uuid4

from qiki.clock import now
from qiki.contracts import topics
from qiki_harness.smoke.intruder import PERIOD_S, Radar, Sighting, approach, departure, headers, stay
from qiki_harness.smoke.session import Session

_HEAD_START = timedelta(seconds=30)
"""Its time begins in the past, so that what is sent at once is not of the future."""


@asynccontextmanager
async def close_by(session: Session) -> AsyncIterator[str]:
    """A stranger comes close, stays for as long as the context lasts, and goes, whatever happened; gives its run."""
    radar = Radar(uuid4(), now() - _HEAD_START)
    for sighting in approach():
        await _send(session, radar, sighting)
    staying = asyncio.create_task(_stay(session, radar))
    try:
        yield str(radar.sensor_id)
    finally:
        staying.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await staying
        for sighting in departure():
            await _send(session, radar, sighting)


async def _stay(session: Session, radar: Radar) -> None:
    while True:
        await _send(session, radar, stay())
        await asyncio.sleep(PERIOD_S)


async def _send(session: Session, radar: Radar, sighting: Sighting) -> None:
    frame = radar.frame(sighting)
    await session.jetstream.publish(topics.FRAMES.subject, frame.to_json(), headers=headers(frame))
