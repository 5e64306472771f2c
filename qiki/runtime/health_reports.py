"""Reports of a service's health on the bus, for who watches a stack, and for its recordings."""

import asyncio
import contextlib
import time
from typing import Any

import nats.errors
from nats.aio.client import Client

from qiki.contracts import topics
from qiki.contracts.events.table import RAISERS
from qiki.contracts.health import ServiceHealth
from qiki.runtime.clock import now
from qiki.runtime.health import Health

EVERY_S = 5.0
LOOK_S = 0.25


async def report_health(health: Health, client: Client) -> None:
    """Publish what `/readyz` says at each change and every `EVERY_S`, for ever; without a connection nothing."""
    subject = topics.HEALTH.subject_of(RAISERS.get(health.service, health.service))
    before: tuple[bool, dict[str, Any]] | None = None
    due_s = 0.0
    while True:
        found = health.ready()
        if client.is_connected and (found != before or time.monotonic() >= due_s):
            with contextlib.suppress(nats.errors.Error):  # the connection's own callbacks say why
                await client.publish(subject, _report(*found).to_json())
                before, due_s = found, time.monotonic() + EVERY_S
        await asyncio.sleep(LOOK_S)


def _report(ready: bool, body: dict[str, Any]) -> ServiceHealth:
    return ServiceHealth(
        timestamp=now(),
        service=body["service"],
        ready=ready,
        status=body["status"],
        waiting_for=body.get("waiting_for", {}),
    )
