"""The audit log's folder loses its power: what was registered is there, and the log is whole."""

import asyncio
import contextlib
import json
import threading
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import nats.errors
import pytest
from nats.js import JetStreamContext

from nats_js_init.settings import InitSettings
from nats_js_init.streams import apply, plan
from qiki.audit.files import audit_files
from qiki.audit.journal import FileLimits, Journal
from qiki.audit.record import Draft
from qiki.audit.verify import verify
from qiki.contracts.events import RUN_STARTED
from qiki.runtime.nats import new_client
from qiki_harness.power import Drive, Names
from qiki_harness.testing import Broker, ServiceProcess, until
from registrar.anchors import newest_record

MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
LIMITS = FileLimits(max_bytes=60_000, max_age_s=86_400)
SMALLEST, LARGEST = 10, 6_000
"""Size of an event's payload [byte]: a batch begins and ends within a page, or spans some."""


def records(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for path in audit_files(folder) for line in path.read_bytes().splitlines()]


def draft(name: str, size: int) -> Draft:
    return Draft(name, 500, "qiki.events.v1.RunStarted", "urn:qiki:test", MOMENT, {"text": "x" * size}, "INFO")


def fill(folder: Path, name: str, chance: Random, registered: list[str], began: threading.Event) -> None:
    """Open the log and register batches until the power fails."""
    journal = Journal(folder, LIMITS)
    with contextlib.closing(journal), contextlib.suppress(OSError):
        journal.open()
        began.set()
        number = 0
        while True:
            waiting = [
                draft(f"{name}-{number + more}", chance.randint(SMALLEST, LARGEST))
                for more in range(chance.randint(1, 8))
            ]
            while waiting:
                entries = journal.append(waiting, MOMENT)
                registered += [entry.fields["event_id"] for entry in entries if "test" in entry.fields["source"]]
                waiting = [one for one in waiting if one.event_id not in registered[-8:]]
            number += 8


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("names", Names)
def test_what_the_journal_has_written_is_there(
    drive: Callable[..., Drive], names: Names, cuts: int, chance: Random, figure: Callable[[str], None]
):
    disk = drive(names=names)
    folder, registered, torn = disk.folder / "data" / "audit", list[str](), 0
    for number in range(cuts):
        began = threading.Event()
        writer = threading.Thread(target=fill, args=(folder, str(number), Random(chance.random()), registered, began))
        writer.start()
        began.wait()
        writer.join(chance.uniform(0, 0.1))
        disk.cut(chance.randrange(2**32))
        writer.join()
        disk.restore()
        with contextlib.closing(Journal(folder, LIMITS)) as journal:
            for one in journal.open():
                torn += 1
                one.remains.unlink()
        assert [str(fault) for fault in verify(folder).faults] == []
        found = Counter(record["event_id"] for record in records(folder))
        assert set(registered) <= found.keys()
        assert max(found.values(), default=1) == 1
    figure(f"audit log, {names} names: {len(registered)} records registered, all there; {torn} torn ends repaired")


def test_what_a_killed_registrar_wrote_is_on_the_disk_when_the_next_one_has_opened_the_log(
    drive: Callable[..., Drive], monkeypatch: pytest.MonkeyPatch, chance: Random
):
    disk = drive()
    folder = disk.folder / "audit"
    with contextlib.closing(Journal(folder, LIMITS)) as journal, monkeypatch.context() as killed:
        journal.open()
        journal.append([draft("first", 10)], MOMENT)
        killed.setattr("os.fsync", lambda _: None)  # it is killed between write and sync
        journal.append([draft("second", 10)], MOMENT)
    with contextlib.closing(Journal(folder, LIMITS)) as journal:
        journal.open()
    assert [record["event_id"] for record in records(folder)] == ["first", "second"]
    for _ in range(20):
        disk.cut(chance.randrange(2**32))
        disk.restore()
        assert [record["event_id"] for record in records(folder)] == ["first", "second"]


class Registered:
    """A broker and a registrar whose power fails together, and the events that the broker has acknowledged."""

    def __init__(self, disk: Drive, logs: Path, chance: Random) -> None:
        self._disk, self._chance = disk, chance
        self.audit = disk.folder / "audit"
        self.broker = Broker(disk.folder / "jetstream", log=logs / "nats.log", watched=True)
        self.registrar = ServiceProcess(
            "registrar", logs / "registrar.log", NATS_URL=self.broker.url, AUDIT_DIR=self.audit, AUDIT_MAX_BYTES=60_000
        )
        self.acknowledged: list[str] = []

    def start(self) -> None:
        self.broker.start()
        self.on_broker(lambda jetstream: apply(jetstream, plan(InitSettings())))
        self.registrar.start()
        self.registrar.ready()

    def close(self) -> None:
        self.registrar.kill()
        self.broker.__exit__()

    def on_broker(self, work: Callable[[JetStreamContext], Any]) -> Any:
        async def run() -> Any:
            client = new_client()
            await client.connect(self.broker.url, allow_reconnect=False)
            try:
                return await work(client.jetstream())
            finally:
                with contextlib.suppress(nats.errors.Error):
                    await client.close()

        return asyncio.run(run())

    def fail(self, number: int) -> None:
        """Publish events until the power fails."""

        async def until_cut(jetstream: JetStreamContext) -> None:
            publishing = asyncio.create_task(self._publish(jetstream, number))
            await asyncio.sleep(self._chance.uniform(0.05, 0.7))
            await asyncio.to_thread(self._disk.cut, self._chance.randrange(2**32))
            self.broker.kill()
            publishing.cancel()

        self.on_broker(until_cut)
        self.registrar.kill()
        self._disk.restore()

    async def _publish(self, jetstream: JetStreamContext, number: int) -> None:
        count = 0
        while True:
            name = f"{number}-{count}"
            headers = dict(RUN_STARTED.headers(name, MOMENT, RUN_STARTED.source))
            body = json.dumps({"run_id": name, "text": "x" * self._chance.randint(SMALLEST, LARGEST)}).encode()
            await jetstream.publish(RUN_STARTED.subject, body, headers=headers)
            self.acknowledged.append(name)
            count += 1

    def found(self) -> Counter[str]:
        return Counter(record["event_id"] for record in records(self.audit))

    def lacking(self) -> set[str]:
        """The acknowledged events that are not in the log."""
        with contextlib.suppress(ValueError, FileNotFoundError):  # the last line is being written
            return set(self.acknowledged) - self.found().keys()
        return {"unreadable"}


@pytest.mark.timeout(3600)
def test_every_event_that_the_broker_acknowledged_is_registered_once(
    drive: Callable[..., Drive], tmp_path: Path, cuts: int, chance: Random, figure: Callable[[str], None]
):
    parts = Registered(drive(names=Names.JOURNAL), tmp_path, chance)
    with contextlib.closing(parts):
        parts.start()
        for number in range(max(1, cuts // 2)):
            parts.fail(number)
            parts.start()
            until("all events to be registered", lambda: not parts.lacking())
        parts.registrar.terminate()
        newest = parts.on_broker(newest_record)
        report = verify(parts.audit, newest.head if newest else None)
    assert [str(fault) for fault in report.faults] == []
    found = parts.found()
    assert {name: found[name] for name in parts.acknowledged} == dict.fromkeys(parts.acknowledged, 1)
    figure(f"broker and registrar: {len(parts.acknowledged)} events acknowledged, each registered once")
