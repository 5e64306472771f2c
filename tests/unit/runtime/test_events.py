"""Events that wait for NATS: bounds of number and bytes, and none that is severe is dropped for others."""

import asyncio
from collections.abc import Mapping
from typing import Any

from prometheus_client import REGISTRY

from qiki.contracts.events import (
    EVENTS_DROPPED,
    HEALTH_FAILED,
    NATS_CONNECTED,
    SEVERITY,
    Connection,
    EventsDropped,
    HealthChange,
)
from qiki.runtime.event_queue import ENTRY_BYTES, KEPT, KEPT_BYTES
from qiki.runtime.events import Events


class Taken:
    """A publisher that takes everything."""

    def __init__(self) -> None:
        self.events: list[tuple[str, bytes, Mapping[str, str]]] = []

    async def publish(self, subject: str, body: bytes, headers: Mapping[str, str]) -> Any:
        self.events.append((subject, body, headers))


def ordinary(events: Events, text: str = "x") -> None:
    events.emit(NATS_CONNECTED, Connection(source="test", ts_epoch=0.0, connection=text))


def severe(events: Events, text: str = "x") -> None:
    events.emit(HEALTH_FAILED, HealthChange(source="test", ts_epoch=0.0, problems={text: text}))


def sent(events: Events) -> Taken:
    taken = Taken()

    async def send() -> None:
        async with events.sent_by(taken):
            pass

    asyncio.run(send())
    return taken


def test_a_crowd_of_ordinary_events_drops_no_severe_one_and_all_keep_their_order():
    events = Events("test")
    severe(events, "first")
    for _ in range(3 * KEPT):
        ordinary(events)
    severe(events, "last")
    severities = [headers[SEVERITY] for _, _, headers in sent(events).events]
    assert severities == ["ERROR", *["INFO"] * KEPT, "ERROR", "ERROR"]  # the last one says what was dropped


def test_the_oldest_severe_one_is_dropped_for_a_severe_one():
    events = Events("test")
    for number in range(KEPT + 1):
        severe(events, f"number {number}")
    bodies = [body for _, body, _ in sent(events).events]
    assert b"number 1" in bodies[0]
    assert len(bodies) == KEPT + 1


def test_large_events_are_bounded_by_their_bytes():
    events = Events("test")
    for _ in range(100):
        ordinary(events, "x" * 500_000)
    kept = sum(len(body) + ENTRY_BYTES for _, body, _ in sent(events).events)
    assert KEPT_BYTES / 2 < kept <= KEPT_BYTES + 2 * ENTRY_BYTES


def test_dropped_events_are_counted_and_said_once_the_queue_is_empty():
    def dropped() -> float:
        return REGISTRY.get_sample_value("qiki_events_dropped_total", {"severity": "INFO"}) or 0.0

    events, before = Events("test"), dropped()
    for _ in range(KEPT + 7):
        ordinary(events)
    subject, body, headers = sent(events).events[-1]
    assert dropped() == before + 7
    assert subject == EVENTS_DROPPED.subject
    assert headers[SEVERITY] == "ERROR"
    assert EventsDropped.from_json(body).dropped == 7
    ordinary(events)
    assert [subject for subject, _, _ in sent(events).events] == [NATS_CONNECTED.subject]
