"""Publication of truth, telemetry and events. A missing NATS never holds up a tick."""

import asyncio
from collections import deque
from functools import partial

import nats.errors
import structlog
from nats.aio.msg import Msg

from q_sim_service.metrics import DROPPED
from q_sim_service.ticker import Ticker
from qiki.contracts import topics
from qiki.runtime.events import Events
from qiki.runtime.nats import Link
from qiki.world.events import event_of, run_started
from qiki.world.inputs import order_message, run_message
from qiki.world.snapshots import telemetry
from qiki.world.truth import truth_body
from qiki.world.vehicle_events import VehicleEvent
from qiki.world.world import GivenOrder, MeasuredFrame, SimWorld

DESCRIBE_EVERY_S = 1200.0  # a third of the time for which the stream keeps it
TRUTH_WAITING = 2000
TRUTH_WAITING_BYTES = 32 << 20
MAX_PENDING_BYTES = 16 << 20  # of messages that NATS has delivered and nobody has looked at

log = structlog.get_logger()


class NatsPublisher:
    """Sends the results of the ticks while there is a connection.

    Truth is for present watchers: without a connection it is not even made. Events wait for the connection.
    """

    def __init__(self, events: Events) -> None:
        self._events = events
        self._link: Link | None = None
        self._truth: deque[bytes] = deque()
        self._truth_bytes = 0
        self._truth_fresh = asyncio.Event()
        self._sending = asyncio.Lock()

    def take_frame(self, world: SimWorld, frame: MeasuredFrame) -> None:
        """Queue the truth that belongs to a frame; when the queue is full, the oldest is dropped."""
        if self._link is None or not self._link.client.is_connected:
            return
        body = truth_body(world.contacts, world.contacts.now, frame)
        self._truth.append(body)
        self._truth_bytes += len(body)
        while len(self._truth) > TRUTH_WAITING or self._truth_bytes > TRUTH_WAITING_BYTES:
            self._next_truth()
            DROPPED.labels("truth").inc()
        self._truth_fresh.set()

    def _next_truth(self) -> bytes:
        body = self._truth.popleft()
        self._truth_bytes -= len(body)
        return body

    def take_event(self, world: SimWorld, event: VehicleEvent) -> None:
        """Log and emit an event of the vehicle."""
        log.info(event.kind.value, run_id=str(world.run_id), t_s=world.t_s, **event.details)
        self._events.emit(*event_of(world, event))

    def take_order(self, world: SimWorld, given: GivenOrder) -> None:
        """Publish an order that took effect."""
        self._events.send(order_message(world, given))

    def take_run(self, world: SimWorld, speed: float) -> None:
        """Publish the description of a run that begins, and emit its event."""
        self._events.send(run_message(world, speed))
        if world.tick_count == 0:  # else it goes on
            self._events.emit(*run_started(world))

    async def describe_again(self, ticker: Ticker, interval_s: float = DESCRIBE_EVERY_S) -> None:
        """Publish the description of the run from time to time: a run may last longer than its stream keeps it."""
        while True:
            await asyncio.sleep(interval_s)
            self._events.send(run_message(ticker.world, ticker.simulator.speed))

    async def send_truth(self, link: Link) -> None:
        """Send truth as it comes, without end."""
        self._link = link
        while True:
            await self._truth_fresh.wait()
            self._truth_fresh.clear()
            await self.flush()

    async def flush(self) -> None:
        """Send the truth that waits."""
        async with self._sending:
            while self._truth and self._link is not None and self._link.client.is_connected:
                await post(self._link, topics.TRUTH.subject, self._next_truth(), "truth")


async def post(link: Link, subject: str, body: bytes, what: str, headers: dict[str, str] | None = None) -> None:
    """Publish a message; one that the client or the server does not take is dropped and counted."""
    try:
        await link.client.publish(subject, body, headers=headers)
    except nats.errors.Error as error:
        DROPPED.labels(what).inc()
        log.warning("not sent", what=what, bytes=len(body), reason=str(error))


async def send_telemetry(link: Link, ticker: Ticker, interval_s: float) -> None:
    """Send telemetry by the wall clock, also while time is held."""
    while True:
        if link.client.is_connected:
            await post_telemetry(link, ticker)
        await asyncio.sleep(interval_s)


async def telemetry_on_request(link: Link, ticker: Ticker) -> None:
    """From now on send telemetry when it is asked for, and at once when the broker is back."""

    async def requested(request: Msg) -> None:
        await post_telemetry(link, ticker, request.reply)

    subject = topics.TELEMETRY_REQUESTS.subject
    await link.client.subscribe(subject, cb=requested, pending_bytes_limit=MAX_PENDING_BYTES)
    link.hooks.on_restored.append(partial(post_telemetry, link, ticker))


async def post_telemetry(link: Link, ticker: Ticker, reply: str = "") -> None:
    """Send the present telemetry, to who asked for it too."""
    body = telemetry(ticker.world, ticker.simulator.sim_state(ticker.behind_s)).to_json()
    for subject in filter(None, (topics.TELEMETRY.subject, reply)):
        await post(link, subject, body, "telemetry")
