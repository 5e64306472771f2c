"""The lag monitor ends when it is told to, also where the cancellation is swallowed on the way."""

import asyncio
import contextlib
from types import SimpleNamespace

from faststream_bridge.lag import LagMonitor

LONG_S = 60.0


class SwallowingJetStream:
    """A server that answers at the very moment of the cancellation, which `wait_for` of Python 3.11 then swallows."""

    def __init__(self):
        self.asked = asyncio.Event()

    async def streams_info(self):
        self.asked.set()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(LONG_S)
        return []


def test_a_swallowed_cancellation_ends_it_all_the_same():
    async def play():
        jetstream = SwallowingJetStream()
        service = SimpleNamespace(settings=SimpleNamespace(radar_lag_monitor_interval_sec=LONG_S))
        watching = asyncio.create_task(LagMonitor(service, jetstream, None, SimpleNamespace(sequence=0)).run())
        await jetstream.asked.wait()
        watching.cancel()
        await asyncio.wait([watching], timeout=10)
        return watching.cancelled()

    assert asyncio.run(play())
