"""The tracks subject as it comes over NATS, whether or not the broker is there."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from nats.aio.client import Client
from nats.aio.msg import Msg
from pydantic import ValidationError

from qiki.contracts import headers, topics
from qiki.contracts.models import RadarTrack
from qiki_harness.cli.tracks import TrackTable


class Feed:
    """Fills a table from a plain subscription, which leaves no trace on the broker."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.table = TrackTable()
        self.refused = 0
        self._client = Client()

    @property
    def state(self) -> str:
        """How the connection is."""
        return "connected" if self._client.is_connected else f"waiting for NATS at {self.url}"

    async def take(self, message: Msg) -> None:
        """Take one message; what is no track is counted."""
        try:
            track = RadarTrack.model_validate_json(message.data)
        except ValidationError:
            self.refused += 1
            return
        self.table.take(track, (message.headers or {}).get(headers.RUN, ""), time.monotonic())

    async def _connect(self) -> None:
        await self._client.connect(
            self.url,
            name="qiki watch",
            max_reconnect_attempts=-1,
            reconnect_time_wait=1,
            ping_interval=2,
            max_outstanding_pings=2,
            error_cb=_ignore,
        )
        await self._client.subscribe(topics.TRACKS.subject, cb=self.take)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Connect in the background, for as long as the context lasts."""
        connecting = asyncio.create_task(self._connect())
        try:
            yield
        finally:
            connecting.cancel()
            await asyncio.gather(connecting, return_exceptions=True)
            await self._client.close()


async def _ignore(_: Exception) -> None:
    """Errors of the connection show in `state`."""
