"""Live tracks and the agent's state from NATS; the broker may be away."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from itertools import count
from typing import Any

from nats.aio.msg import Msg
from pydantic import ValidationError

from qiki.contracts import headers, topics
from qiki.contracts.agent import AgentState
from qiki.contracts.radar import RadarTrack
from qiki.runtime.identities.credentials import nats_options
from qiki.runtime.nats import new_client

_KEEP_S = 2.0


@dataclass(slots=True)
class _Report:
    """The newest message of a track, read when it is shown."""

    body: bytes
    run: str
    at_s: float
    track: RadarTrack | None = None

    def readable(self) -> bool:
        """Read the track; return whether it is one."""
        if self.track is None:
            with suppress(ValidationError):
                self.track = RadarTrack.model_validate_json(self.body)
        return self.track is not None


class TrackTable:
    """Keeps the newest state of each track of the newest run.

    Drops tracks that are no longer reported, but none of a paused world. Most messages are replaced by newer ones
    before anybody sees them: only those that are shown are read. Which track a message is about stands at the end of
    its id; one without an id is kept for itself, and found out when it is read.

    Attributes:
        refused: messages that were to be shown, and were no tracks
    """

    def __init__(self) -> None:
        self.refused = 0
        self._newest_s = 0.0
        self._reports: dict[tuple[str, str], _Report] = {}  # in the order of their arrival
        self._nameless = count()

    def take(self, body: bytes, head: Mapping[str, str], at_s: float) -> None:
        """Take one message; `at_s` is the time of a monotonic clock."""
        run = head.get(headers.RUN, "")
        name = head.get(headers.MESSAGE_ID, "").rpartition(":")[2] or f"nameless {next(self._nameless)}"
        self._reports.pop((run, name), None)
        self._reports[run, name] = _Report(body, run, at_s)
        self._newest_s = at_s

    def newest(self) -> list[RadarTrack]:
        """Return the newest state of each track, nearest first."""
        fresh = {key: one for key, one in self._reports.items() if self._newest_s - one.at_s <= _KEEP_S}
        readable = {key: one for key, one in fresh.items() if one.readable()}
        self.refused += len(fresh) - len(readable)
        run = next((one.run for one in reversed(readable.values())), "")
        self._reports = {key: one for key, one in readable.items() if one.run == run}
        tracks = {one.track.track_id: one.track for one in self._reports.values() if one.track}
        return sorted(tracks.values(), key=lambda track: track.range_m)


class Feed:
    """Reads from plain subscriptions, which leave no trace on the broker."""

    def __init__(self, url: str, keys: str | None = None) -> None:
        self.url = url
        self._keys = keys
        self.table = TrackTable()
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
        """Take one message."""
        self.table.take(message.data, message.headers or {}, time.monotonic())

    async def take_agent(self, message: Msg) -> None:
        """Take the agent's state; ignore a message that is none."""
        with suppress(ValidationError):
            self._agent = AgentState.model_validate_json(message.data)
            self._agent_at_s = time.monotonic()

    async def _connect(self) -> None:
        for_ever: dict[str, Any] = {"max_reconnect_attempts": -1, "reconnect_time_wait": 1}
        pings: dict[str, Any] = {"ping_interval": 2, "max_outstanding_pings": 2}
        own = nats_options(self._keys, self.url)
        await self._client.connect(self.url, name="qiki watch", error_cb=_ignore, **for_ever, **pings, **own)
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
