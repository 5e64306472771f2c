"""What goes to NATS of its own accord: truth, telemetry and events. NATS away never holds up a tick."""

import asyncio
from collections import deque
from typing import Any

import nats.errors
import structlog

from q_sim_service.metrics import DROPPED
from q_sim_service.ticker import Ticker
from qiki.contracts import topics
from qiki.runtime.events import Events
from qiki.runtime.nats import Link
from qiki.world.events import event_of, run_started
from qiki.world.frames import MeasuredFrame
from qiki.world.snapshots import telemetry, truth
from qiki.world.vehicle_events import VehicleEvent
from qiki.world.world import SimWorld

TRUTH_WAITING = 2000

log = structlog.get_logger()


class NatsPublisher:
    """Takes what the ticker brings; sends it while there is a connection.

    Truth is for who watches now: without a connection it is not even made. Events wait for the connection.
    """

    def __init__(self, events: Events) -> None:
        self._events = events
        self._link: Link | None = None
        self._truth: deque[bytes] = deque()
        self._truth_fresh = asyncio.Event()
        self._sending = asyncio.Lock()

    def take_frame(self, world: SimWorld, frame: MeasuredFrame) -> None:
        """Publish the truth that belongs to a frame."""
        if self._link is None or not self._link.client.is_connected:
            return
        _bounded(self._truth, truth(world, frame).to_json(), TRUTH_WAITING, "truth")
        self._truth_fresh.set()

    def take_event(self, world: SimWorld, event: VehicleEvent) -> None:
        """Log it, and raise the event that it is."""
        log.info(event.kind.value, run_id=str(world.run_id), t_s=world.t_s, **event.details)
        self._events.emit(*event_of(world, event))

    def take_run(self, world: SimWorld) -> None:
        """Tell that a run begins."""
        self._events.emit(*run_started(world))

    async def send_truth(self, link: Link) -> None:
        """Send truth as it comes, for as long as the connection is there to be used."""
        self._link = link
        while True:
            await self._truth_fresh.wait()
            self._truth_fresh.clear()
            await self.flush()

    async def flush(self) -> None:
        """Send the truth that waits."""
        async with self._sending:
            while self._truth and self._link is not None and self._link.client.is_connected:
                await post(self._link, topics.TRUTH.subject, self._truth.popleft(), "truth")


async def post(link: Link, subject: str, body: bytes, what: str, headers: dict[str, str] | None = None) -> None:
    """Send; what the client or the server does not take is given up and counted."""
    try:
        await link.client.publish(subject, body, headers=headers)
    except nats.errors.Error as error:
        DROPPED.labels(what).inc()
        log.warning("not sent", what=what, bytes=len(body), reason=str(error))


async def send_telemetry(link: Link, ticker: Ticker, interval_s: float) -> None:
    """Telemetry by the wall clock, also while time is held."""
    while True:
        if link.client.is_connected:
            await post_telemetry(link, ticker)
        await asyncio.sleep(interval_s)


async def post_telemetry(link: Link, ticker: Ticker) -> None:
    """Send how the vehicle is now."""
    snapshot = telemetry(ticker.world, ticker.simulator.sim_state(ticker.behind_s))
    await post(link, topics.TELEMETRY.subject, snapshot.to_json(), "telemetry")


def _bounded(queue: deque[Any], item: object, limit: int, what: str) -> None:
    """Append; the oldest goes when there is no room."""
    if len(queue) >= limit:
        queue.popleft()
        DROPPED.labels(what).inc()
    queue.append(item)
