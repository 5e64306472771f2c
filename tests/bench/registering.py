"""Events through the registrar, with and without signatures, and of another checkout in turn with them.

CPU time an event is the figure to compare where other programs run too.
"""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import nats
import psutil
from start import median

from qiki.audit.query import Query, find
from qiki.audit.signing import KEY_FILE, make_key
from qiki.clock import parse_rfc3339
from qiki.contracts.events import RUN_STARTED
from qiki_harness.testing import Broker, ServiceProcess, until

EVENTS = 6_000
WARM = 500
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
    seen: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for number in range(runs):
        for place, (name, (checkout, settings)) in enumerate(ways.items()):
            seen[name].append(_measure(folder / f"registering-{number}-{place}", checkout, settings))
    for name, pairs in seen.items():
        rate, cpu_us = (median(list(column)) for column in zip(*pairs, strict=True))
        all_us = ", ".join(f"{one:.0f}" for _, one in sorted(pairs, key=lambda pair: pair[1]))
        yield f"{EVENTS} events through the registrar, {name}: {rate:.0f}/s, {cpu_us:.0f} us of CPU each ({all_us})"


def _measure(folder: Path, checkout: Path, settings: dict[str, str]) -> tuple[float, float]:
    """Store events while no registrar runs, and start one; return events/s, and CPU time [us] an event."""
    folder.mkdir()
    audit = folder / "audit"
    with Broker(folder / "nats") as broker:
        environment = os.environ | {"NATS_URL": broker.url}
        subprocess.run([sys.executable, "-m", "nats_js_init"], env=environment, check=True, capture_output=True)
        asyncio.run(_publish(broker.url))
        path = os.pathsep.join(str(checkout / part) for part in ("", "services", "harness"))
        command = [sys.executable, "-P", "-m", "registrar"]
        own = {"NATS_URL": broker.url, "AUDIT_DIR": audit, "PYTHONPATH": path, "QIKI_HTTP_PORT": 0} | settings
        with ServiceProcess(command, folder / "registrar.log", **own) as service:
            until("the first to be registered", lambda: _lines(audit) > WARM, DEADLINE_S)
            assert service._process
            process = psutil.Process(service._process.pid)
            first, before_s = _lines(audit), sum(process.cpu_times()[:2])
            until("all to be registered", lambda: _lines(audit) > EVENTS, DEADLINE_S)
            cpu_us = 1e6 * (sum(process.cpu_times()[:2]) - before_s) / (_lines(audit) - first)
    query = Query(source=RUN_STARTED.source)
    times = [parse_rfc3339(record["registered_at"]) for _, record in find(audit, query)]
    return len(times) / (times[-1] - times[0]).total_seconds(), cpu_us


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
