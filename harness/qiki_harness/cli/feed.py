"""Live tracks and the agent's state from NATS; the broker may be away."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from nats.aio.msg import Msg
from pydantic import ValidationError

from qiki.contracts import headers, topics
from qiki.contracts.agent import AgentState
from qiki.contracts.radar import RadarTrack
from qiki.runtime.nats import new_client

_KEEP_S = 2.0


class TrackTable:
    """Keeps the newest state of each track. Drops tracks that are no longer reported, but none of a paused world."""

    def __init__(self) -> None:
        self._run = ""
        self._seen: dict[str, tuple[RadarTrack, float]] = {}

    def take(self, track: RadarTrack, run: str, at_s: float) -> None:
        """Take one track message; `at_s` is the time of a monotonic clock."""
        if run != self._run:
            self._run = run
            self._seen.clear()
        self._seen[str(track.track_id)] = track, at_s
        self._seen = {key: seen for key, seen in self._seen.items() if at_s - seen[1] <= _KEEP_S}

    @property
    def tracks(self) -> list[RadarTrack]:
        """The tracks, nearest first."""
        return sorted((track for track, _ in self._seen.values()), key=lambda track: track.range_m)


class Feed:
    """Reads from plain subscriptions, which leave no trace on the broker."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.table = TrackTable()
        self.refused = 0
        self._agent: AgentState | None = None
        self._agent_at_s = 0.0
        self._client = new_client()

    @property
    def agent(self) -> AgentState | None:
        """The agent's newest state; None when it is stale."""
        silent_s = time.monotonic() - self._agent_at_s
        return self._agent if silent_s <= (topics.AGENT_STATE.stale_after_s or 0.0) else None

    @property
    def state(self) -> str:
        """The state of the connection."""
        return "connected" if self._client.is_connected else f"waiting for NATS at {self.url}"

    async def take(self, message: Msg) -> None:
        """Take one message; count those that are no tracks."""
        try:
            track = RadarTrack.model_validate_json(message.data)
        except ValidationError:
            self.refused += 1
            return
        self.table.take(track, (message.headers or {}).get(headers.RUN, ""), time.monotonic())

    async def take_agent(self, message: Msg) -> None:
        """Take the agent's state; ignore a message that is none."""
        with suppress(ValidationError):
            self._agent = AgentState.model_validate_json(message.data)
            self._agent_at_s = time.monotonic()

    async def _connect(self) -> None:
        for_ever: dict[str, Any] = {"max_reconnect_attempts": -1, "reconnect_time_wait": 1}
        pings: dict[str, Any] = {"ping_interval": 2, "max_outstanding_pings": 2}
        await self._client.connect(self.url, name="qiki watch", error_cb=_ignore, **for_ever, **pings)
        await self._client.subscribe(topics.TRACKS.subject, cb=self.take)
        await self._client.subscribe(topics.AGENT_STATE.subject, cb=self.take_agent)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Stay connected, in the background, as long as the context lasts."""
        connecting = asyncio.create_task(self._connect())
        try:
            yield
        finally:
            connecting.cancel()
            await asyncio.gather(connecting, return_exceptions=True)
            await self._client.close()


async def _ignore(_: Exception) -> None:
    """Ignore an error of the connection: it shows in `state`."""
