"""Events of a service, and its other rare messages: sent at any time, kept until NATS is there, published once each."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Protocol
from uuid import uuid4

import nats.errors
import structlog
from prometheus_client import Counter

from qiki.contracts.events import EVENTS_DROPPED, SEVERITY, EventKind, EventsDropped
from qiki.contracts.fields import Payload
from qiki.contracts.headers import Message
from qiki.runtime.clock import now
from qiki.runtime.event_queue import EventQueue
from qiki.runtime.tasks import background

RAISED = Counter("qiki_events_total", "Events raised", ["name"])
DROPPED = Counter("qiki_events_dropped_total", "Events that could not be kept or sent", ["severity"])
SENT = "ERROR"  # the severity as which messages without one are kept and counted
log = structlog.get_logger()


class Publisher(Protocol):
    """A way to the broker, as `PublishWindow` is."""

    async def publish(self, subject: str, body: bytes, headers: Mapping[str, str]) -> Any:
        """Send until stored."""


class Events:
    """A bounded queue of events. What it must drop is counted, logged, and an event itself once NATS is back."""

    def __init__(self, service: str) -> None:
        self._service = service
        self._waiting = EventQueue()
        self._dropped = 0  # since the queue was empty
        self._fresh = asyncio.Event()

    def __len__(self) -> int:
        return len(self._waiting)

    def emit(
        self, kind: EventKind, body: Payload, event_id: str = "", moment: datetime | None = None, severity: str = ""
    ) -> None:
        """Raise an event.

        Args:
            event_id: the same for the same event; a new one when not given
            moment: event time; now when not given
            severity: instead of the kind's own
        """
        headers = dict(kind.headers(event_id or str(uuid4()), moment or now(), self._service))
        if severity:
            headers[SEVERITY] = severity
        RAISED.labels(kind.name).inc()
        self._add(Message(kind.subject, body.to_json(), headers), headers[SEVERITY])

    def send(self, message: Message) -> None:
        """Send a message that is no event, in its turn, and kept like a severe one."""
        self._add(message, SENT)

    def _add(self, event: Message, severity: str) -> None:
        dropped = self._waiting.add(event, severity)
        if dropped:
            DROPPED.labels(severity).inc(dropped)
            if not self._dropped:
                log.error("events are dropped, NATS has been away for too long", severity=severity)
            self._dropped += dropped
        self._fresh.set()

    @asynccontextmanager
    async def sent_by(self, publisher: Publisher) -> AsyncIterator[None]:
        """Publish events as they come while the context lasts, and the waiting ones at its end."""
        async with background(self._send(publisher)):
            yield
        await self._flush(publisher)

    async def _send(self, publisher: Publisher) -> None:
        while True:
            await self._fresh.wait()
            self._fresh.clear()
            await self._flush(publisher)

    async def _flush(self, publisher: Publisher) -> None:
        while first := self._waiting.first():
            number, event = first
            try:
                await publisher.publish(event.subject, event.body, event.headers)
            except nats.errors.MaxPayloadError:  # it can never be sent
                DROPPED.labels(event.headers.get(SEVERITY, SENT)).inc()
                log.error("event dropped, it is larger than NATS takes", subject=event.subject, bytes=len(event.body))
            self._waiting.remove(number)
            if self._dropped and not self._waiting:
                self._say_dropped()

    def _say_dropped(self) -> None:
        dropped, self._dropped = self._dropped, 0
        log.error("events were dropped", count=dropped)
        body = EventsDropped(source=self._service, ts_epoch=now().timestamp(), dropped=dropped)
        self.emit(EVENTS_DROPPED, body)
