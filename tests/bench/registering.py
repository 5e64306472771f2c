"""Events a second through the registrar, with and without signatures, and of another checkout in turn with them."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import nats
from start import median

from qiki.audit.query import Query, find
from qiki.audit.signing import KEY_FILE, make_key
from qiki.clock import parse_rfc3339
from qiki.contracts.events import RUN_STARTED
from qiki_harness.testing import Broker, ServiceProcess, until

EVENTS = 20_000
IN_FLIGHT = 500
BODY = b'{"schema_version":1,"category":"navigation","source":"bench","ts_epoch":0,"text":"%s"}' % (b"x" * 200)
DEADLINE_S = 300.0


def registering(folder: Path, runs: int, beside: Path | None) -> Iterator[str]:
    """Lines with the medians of so many runs, each way in turn."""
    key = folder / "registering-keys"
    key.mkdir()
    make_key(key / KEY_FILE)
    here = Path(__file__).parents[2]
    ways: dict[str, tuple[Path, dict[str, str]]] = {
        "not signed": (here, {}),
        "signed": (here, {"QIKI_KEYS_DIR": str(key)}),
    }
    if beside is not None:
        ways[f"{beside}"] = beside, {}
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(runs):
        for place, (name, (checkout, settings)) in enumerate(ways.items()):
            rates[name].append(_rate(folder / f"registering-{number}-{place}", checkout, settings))
    for name, seen in rates.items():
        yield f"{EVENTS} events through the registrar, {name}: {median(seen):.0f}/s of {sorted(map(round, seen))}"


def _rate(folder: Path, checkout: Path, settings: dict[str, str]) -> float:
    """Store events while no registrar runs, start one, and divide by the time from its first record to its last."""
    folder.mkdir()
    audit = folder / "audit"
    with Broker(folder / "nats") as broker:
        environment = os.environ | {"NATS_URL": broker.url}
        subprocess.run([sys.executable, "-m", "nats_js_init"], env=environment, check=True, capture_output=True)
        asyncio.run(_publish(broker.url))
        path = os.pathsep.join(str(checkout / part) for part in ("", "services", "harness"))
        command = [sys.executable, "-P", "-m", "registrar"]
        own = {"NATS_URL": broker.url, "AUDIT_DIR": audit, "PYTHONPATH": path, "QIKI_HTTP_PORT": 0} | settings
        with ServiceProcess(command, folder / "registrar.log", **own):
            until("all events to be registered", lambda: _lines(audit) > EVENTS, DEADLINE_S)
    query = Query(source=RUN_STARTED.source)
    times = [parse_rfc3339(record["registered_at"]) for _, record in find(audit, query)]
    return len(times) / (times[-1] - times[0]).total_seconds()


def _lines(audit: Path) -> int:
    return sum(path.read_bytes().count(b"\n") for path in audit.glob("audit-*.jsonl"))


async def _publish(url: str) -> None:
    client = await nats.connect(url)
    jetstream = client.jetstream()
    moment = datetime.now(UTC)
    for first in range(0, EVENTS, IN_FLIGHT):
        await asyncio.gather(
            *(
                jetstream.publish(RUN_STARTED.subject, BODY, headers=dict(RUN_STARTED.headers(f"bench-{n}", moment)))
                for n in range(first, first + IN_FLIGHT)
            )
        )
    await client.close()
