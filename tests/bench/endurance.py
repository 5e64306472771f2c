"""Memory over a long run, and whether the audit log has every event of it exactly once."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from clients import connect
from nats.js.api import AckPolicy, ConsumerConfig
from start import memory, options

from qiki.audit.query import Query, find
from qiki.audit.verify import verify
from qiki.contracts import topics
from qiki.contracts.cloudevents import read_cloud_event
from qiki_harness.errors import DeadlineError
from qiki_harness.stack import Stack
from qiki_harness.testing import until

SETTLED_MINUTE = 5
READ_S = 30.0


def endure(folder: Path, minutes: int, speed: float) -> Iterator[str]:
    """Run the default scenario; lines of a table of resident memory [MB], then what the audit log holds."""
    with Stack.start(options(folder, QIKI_SPEED=str(speed))) as stack:
        info = stack.wait_healthy()
        settled: dict[str, float] = {}
        for minute in range(1, minutes + 1):
            time.sleep(60)
            sizes = memory(stack.info)
            settled = sizes if minute == min(SETTLED_MINUTE, minutes) else settled
            if minute % 5 == 0 or minute in {1, minutes}:
                yield f"minute {minute:3}: " + ", ".join(f"{name} {size:.1f}" for name, size in sizes.items())
        growth = {name: 100 * (size / settled[name] - 1) for name, size in sizes.items()}
        yield f"since minute {min(SETTLED_MINUTE, minutes)}: " + ", ".join(
            f"{n} {by:+.1f} %" for n, by in growth.items()
        )
        restarts = sum(status.restarts for status in stack.info.services.values())
        stack.stop_service("q-sim-service")
        stack.stop_service("qiki-dev")
        told = asyncio.run(events(info.addresses))
        audit = folder / "data" / "audit"
        registered = await_registered(audit, told)
        report = verify(audit)
    lost, doubled = told.keys() - registered.keys(), [name for name, times in registered.items() if times > 1]
    yield f"{len(told)} events: {len(lost)} lost, {len(doubled)} doubled in {report.records} audit records"
    yield f"the chain has {len(report.faults)} faults; {restarts} restarts"


async def events(addresses: Mapping[str, str]) -> Counter[str]:
    """Ids of all stored events but the audit records."""
    client = await connect(addresses)
    jetstream = client.jetstream()
    config = ConsumerConfig(ack_policy=AckPolicy.NONE)
    reader = await jetstream.pull_subscribe(topics.EVENTS.subject, stream=topics.QIKI_EVENTS_V1, config=config)
    left = (await reader.consumer_info()).num_pending or 0
    ids: Counter[str] = Counter()
    while left > 0:
        for message in await reader.fetch(min(left, 500), timeout=READ_S):
            left -= 1
            if message.subject != topics.AUDIT.subject:
                ids[read_cloud_event(message.headers, message.data).id] += 1
    await client.close()
    return ids


def await_registered(audit: Path, told: Counter[str]) -> Counter[str]:
    """How often each event stands in the log, once all are there or it is too late."""

    def registered() -> Counter[str]:
        return Counter(record["event_id"] for _, record in find(audit, Query()))

    with suppress(DeadlineError):
        until("every event to be registered", lambda: told.keys() <= registered().keys(), READ_S)
    return registered()
