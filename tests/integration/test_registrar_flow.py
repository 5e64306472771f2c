"""The registrar: everything that happens is registered once, whatever happens to the registrar and its disk."""

import asyncio
import contextlib
import json
import os
import resource
import socket
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import nats
import pytest
from nats.js.api import AckPolicy, ConsumerConfig

from qiki.audit.files import audit_files
from qiki.audit.verify import verify
from qiki.contracts import topics
from qiki.contracts.audit import AuditRecord
from qiki.contracts.events import (
    AUDIT_BROKEN,
    AUDIT_PRUNED,
    AUDIT_REPAIRED,
    RADAR_FRAMES_SEEN,
    RADAR_TRACKS_SEEN,
    RUN_STARTED,
)
from qiki.contracts.headers import MESSAGE_ID
from qiki.contracts.radar import RadarFrame
from qiki.runtime.nats import new_client
from qiki_harness.testing import Broker, ServiceProcess, until
from qiki_harness.twin.checks import settle

QIKI = [sys.executable, "-c", "from qiki_harness.cli import main; main()"]
MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
RATE_HZ = 200
KILLS = 8
PATIENT = """
import registrar.app
import registrar.radar
from qiki.runtime.service import run_service
from registrar.settings import RegistrarSettings

registrar.app.FETCH_S = registrar.radar.QUIET_S = 3600
run_service("registrar", RegistrarSettings, registrar.app.main)
"""
ACKNOWLEDGED_S = 60.0  # a machine with more stacks than cores takes its time


class Log:
    """A registrar with a broker and a folder of its own, and what it registered."""

    def __init__(self, folder: Path, broker: Broker) -> None:
        self.audit = folder / "audit"
        self.broker = broker
        self.service = ServiceProcess("registrar", folder / "registrar.log", NATS_URL=broker.url, AUDIT_DIR=self.audit)

    @property
    def records(self) -> list[dict[str, Any]]:
        lines: list[bytes] = []
        for path in audit_files(self.audit):
            with contextlib.suppress(FileNotFoundError):  # an old one may be removed while this reads
                lines += path.read_bytes().splitlines(keepends=True)
        return [json.loads(line) for line in lines if line.endswith(b"\n")]

    def ids(self, prefix: str = "test-") -> list[str]:
        return [record["event_id"] for record in self.records if record["event_id"].startswith(prefix)]

    def of(self, ce_type: str) -> list[dict[str, Any]]:
        return [record for record in self.records if record["event_type"] == ce_type]

    def publish(self, *numbers: int, header: str = "test", size: int = 0, repeat: bool = False) -> list[str]:
        """Store events, each under its number; repeated ones without the id by which the broker would drop them."""

        async def send(jetstream: Any) -> list[str]:
            return [await store(jetstream, f"{header}-{number}", size, repeat=repeat) for number in numbers]

        return self.on_broker(send)

    def on_broker(self, work: Any) -> Any:
        async def run() -> Any:
            client = new_client()
            await client.connect(self.broker.url)
            try:
                return await work(client.jetstream())
            finally:
                await client.close()

        return asyncio.run(run())

    def audited(self) -> list[AuditRecord]:
        """What the audit stream holds."""

        return [
            AuditRecord.from_json(message.data) for message in self.stored(topics.QIKI_EVENTS_V1, topics.AUDIT.subject)
        ]

    def letters(self) -> list[Any]:
        """What was put aside."""
        return self.stored(topics.QIKI_DLQ_V1, topics.DEAD_LETTERS.subject)

    def stored(self, stream: str, subject: str) -> list[Any]:
        async def read(jetstream: Any) -> list[Any]:
            config = ConsumerConfig(ack_policy=AckPolicy.NONE)
            reader = await jetstream.pull_subscribe(subject, stream=stream, config=config)
            count = (await reader.consumer_info()).num_pending
            found: list[Any] = []
            while len(found) < count:
                found += await reader.fetch(500, timeout=10)
            return found

        return self.on_broker(read)

    def owed(self) -> int:
        async def ask(jetstream: Any) -> int:
            info = await jetstream.consumer_info(topics.QIKI_EVENTS_V1, topics.REGISTRAR_DURABLE)
            return info.num_pending + info.num_ack_pending

        return self.on_broker(ask)

    def check(self) -> None:
        """The chain is whole, nothing is there twice, and the audit stream holds each record once."""
        until("the durable owes nothing", lambda: not self.owed())
        report = verify(self.audit)
        assert report.faults == []
        records = self.records  # more may come while this looks
        counts = Counter((record["source"], record["event_id"]) for record in records)
        assert [event for event, count in counts.items() if count > 1] == []
        until("all is told", lambda: self.audited()[-1].sequence >= records[-1]["sequence"])
        audited = self.audited()
        told = {record.sequence: record.hash for record in audited}
        assert len(audited) == len(told)
        assert {record["sequence"]: record["hash"] for record in records}.items() <= told.items()

    def ready(self) -> tuple[int, str]:
        return self.service.get("/readyz")


async def store(jetstream: Any, event_id: str, size: int = 0, *, repeat: bool = False) -> str:
    headers = dict(RUN_STARTED.headers(event_id, MOMENT))
    if repeat:
        del headers[MESSAGE_ID]
    body = json.dumps({"event": event_id, "text": "x" * size}).encode()
    await jetstream.publish(RUN_STARTED.subject, body, headers=headers, timeout=ACKNOWLEDGED_S)
    return event_id


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    with Broker(tmp_path / "nats") as broker:
        environment = os.environ | {"NATS_URL": broker.url}
        subprocess.run([sys.executable, "-m", "nats_js_init"], env=environment, check=True, capture_output=True)
        one = Log(tmp_path, broker)
        with one.service:
            yield one


class Traffic(threading.Thread):
    """Publishes numbered events at a steady rate until told to stop, whatever becomes of their reader."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self.sent: list[str] = []
        self._url = url
        self._over = threading.Event()

    def run(self) -> None:
        asyncio.run(self._publish())

    async def _publish(self) -> None:
        client = await nats.connect(self._url)
        began = asyncio.get_running_loop().time()
        while not self._over.is_set():
            self.sent.append(await store(client.jetstream(), f"test-{len(self.sent)}"))
            await asyncio.sleep(max(0.0, began + len(self.sent) / RATE_HZ - asyncio.get_running_loop().time()))
        await client.close()

    def stop(self) -> list[str]:
        self._over.set()
        self.join()
        return self.sent


def test_every_event_is_registered_exactly_once_under_sigkill(log: Log):
    traffic = Traffic(log.broker.url)
    traffic.start()
    for _ in range(KILLS):
        before = len(log.ids())
        until("it registers", lambda before=before: len(log.ids()) > before + 20)
        log.service.kill()
        log.service.start()
    sent = traffic.stop()

    until("all is registered", lambda: len(log.ids()) >= len(sent))
    assert sorted(log.ids()) == sorted(sent)
    log.check()


def test_what_happens_while_it_is_down_is_registered_when_it_is_back(log: Log):
    log.publish(1)
    until("the first is registered", log.ids)
    assert log.service.terminate() == 0
    log.publish(2, 3)

    log.service.start()

    until("all is registered", lambda: log.ids() == ["test-1", "test-2", "test-3"])
    log.check()


def test_an_event_that_comes_again_is_dropped_also_after_a_restart(log: Log):
    log.publish(1, 2)
    until("they are registered", lambda: len(log.ids()) == 2)
    log.publish(1, repeat=True)
    log.service.terminate()
    log.service.start()
    log.publish(2, repeat=True)
    log.publish(3)

    until("the last is registered", lambda: "test-3" in log.ids())
    assert log.ids() == ["test-1", "test-2", "test-3"]
    log.check()


def test_a_killed_broker_costs_no_event(log: Log):
    log.publish(1)
    until("the first is registered", log.ids)
    log.broker.kill()
    until("it says so", lambda: log.ready()[0] == 503 and "connection lost" in log.ready()[1])
    log.broker.start()
    log.publish(2)
    until("the second is registered", lambda: log.ids() == ["test-1", "test-2"])
    log.check()


def test_a_full_disk_is_told_and_loses_nothing(log: Log):
    log.publish(*range(20), size=500)
    until("they are registered", lambda: len(log.ids()) == 20)
    log.service.ready()

    with full_disk(log, room=300):
        log.publish(*range(20, 30), size=500)
        until("it says so", lambda: log.ready()[0] == 503)
        assert json.loads(log.ready()[1])["waiting_for"]["audit log"] == (
            f"{log.audit}: File too large; events wait in the stream"
        )
        assert log.service.said("audit log cannot be written")
        log.publish(*range(30, 600))  # more than it may have in hand: it does not fetch
        assert len(log.ids()) == 20
        assert log.owed() > 512

    until("all is registered", lambda: len(log.ids()) == 600)
    assert sorted(log.ids()) == sorted(f"test-{number}" for number in range(600))
    until("it says that too", lambda: log.ready()[0] == 200)
    log.check()


@pytest.mark.parametrize("killed", [False, True])
def test_it_can_be_stopped_while_the_disk_is_full(log: Log, killed: bool):
    log.publish(*range(20), size=500)
    until("they are registered", lambda: len(log.ids()) == 20)
    with full_disk(log, room=300):
        log.publish(20, 21, size=500)
        until("it says so", lambda: log.ready()[0] == 503)
        if killed:
            log.service.kill()
        else:
            assert log.service.terminate() == 0
    log.service.start()
    until("all is registered", lambda: sorted(log.ids()) == sorted(f"test-{number}" for number in range(22)))
    log.check()


def test_nothing_that_it_waits_for_delays_its_stop(tmp_path: Path, log: Log):
    log.service.kill()
    settings = {"NATS_URL": log.broker.url, "AUDIT_DIR": log.audit}
    with ServiceProcess([sys.executable, "-c", PATIENT], tmp_path / "patient.log", **settings) as patient:
        patient.ready()
        assert patient.terminate() == 0


def test_a_folder_that_cannot_be_written_at_the_start_is_waited_for(tmp_path: Path, log: Log):
    log.service.terminate()
    obstacle = tmp_path / "volume"
    obstacle.touch()
    log.audit = obstacle / "audit"
    log.publish(1)
    elsewhere = ServiceProcess("registrar", tmp_path / "2.log", NATS_URL=log.broker.url, AUDIT_DIR=log.audit)
    with elsewhere:
        until("it says so", lambda: "Not a directory" in elsewhere.get("/readyz")[1])
        assert elsewhere.get("/readyz")[0] == 503
        obstacle.unlink()
        until("it goes on", lambda: log.ids() == ["test-1"])
        elsewhere.ready()


def test_a_torn_line_is_repaired_and_that_is_on_record(log: Log):
    log.publish(1)
    until("the first is registered", log.ids)
    log.service.kill()
    with audit_files(log.audit)[-1].open("ab") as file:
        file.write(b'{"event_id":"test-2","code":5')
    log.publish(2)
    log.service.start()

    until("the second is registered", lambda: log.ids() == ["test-1", "test-2"])
    (repair,) = log.of(AUDIT_REPAIRED.ce_type)
    assert (repair["code"], repair["severity"]) == (911, "WARNING")
    assert (repair["payload"]["file"], repair["payload"]["torn_bytes"]) == ("audit-000001.jsonl", 29)
    log.check()


@pytest.mark.parametrize("spoil", ["cut", "remove"])
def test_a_log_cut_while_it_is_down_stays_visible(log: Log, spoil: str):
    log.publish(*range(10))
    until("they are registered", lambda: len(log.ids()) == 10)
    log.check()
    log.service.terminate()
    file = audit_files(log.audit)[-1]
    lines = file.read_bytes().splitlines(keepends=True)
    if spoil == "cut":
        file.write_bytes(b"".join(lines[:-3]))
    else:
        file.unlink()
    verdict = events(log, "verify", str(log.audit))
    assert verdict.returncode == 1
    assert f"the audit stream holds {len(lines)}" in verdict.stdout

    log.service.start()
    log.publish(11)
    until("it goes on", lambda: "test-11" in log.ids())

    (broken,) = log.of(AUDIT_BROKEN.ce_type)
    assert (broken["code"], broken["severity"], broken["sequence"]) == (802, "CRITICAL", len(lines) + 1)
    assert broken["payload"]["expected_sequence"] == len(lines)
    later = events(log, "verify", str(log.audit))
    assert later.returncode == 1
    assert "missing before it" in later.stdout


def test_what_is_no_event_is_put_aside_with_the_reason(log: Log):
    good = dict(RUN_STARTED.headers("test-good", MOMENT))
    broken: Mapping[str, tuple[bytes, dict[str, str]]] = {
        "ce-specversion: is missing": (b"{}", {}),
        "body: not JSON": (b"{", good | {MESSAGE_ID: "a"}),
        "ce-time": (b"{}", good | {MESSAGE_ID: "b", "ce-time": "noon"}),
        "x-qiki-code": (b"{}", good | {MESSAGE_ID: "c", "x-qiki-code": "7"}),
        "x-qiki-code: '777777777": (
            b"{}",
            good | {MESSAGE_ID: "d", "x-qiki-code": "7" * 5000},
        ),
    }

    async def send(jetstream: Any) -> list[int]:
        sequences = [
            (await jetstream.publish(RUN_STARTED.subject, body, headers=headers or None)).seq
            for body, headers in broken.values()
        ]
        await jetstream.publish(RUN_STARTED.subject, b"{}", headers=good)
        return sequences

    sequences = log.on_broker(send)
    until("the good one is registered", lambda: log.ids() == ["test-good"])
    until("the durable owes nothing", lambda: not log.owed())

    found = log.letters()
    assert [letter.data for letter in found] == [body for body, _ in broken.values()]
    assert [int(letter.headers["x-qiki-origin-seq"]) for letter in found] == sequences
    for letter, reason in zip(found, broken, strict=True):
        assert letter.headers["x-qiki-reason"].startswith(reason)
        assert letter.headers["x-qiki-origin-subject"] == RUN_STARTED.subject
    assert "qiki_dead_letters_total" in log.service.get("/metrics")[1]


BROKEN = """
from qiki.runtime.service import run_service
from registrar import app
from registrar.settings import RegistrarSettings

async def take(*_):
    raise IndexError("a bug of ours")

app.take = take
run_service("registrar", RegistrarSettings, app.main)
"""


def test_a_bug_in_what_registers_ends_the_process(log: Log):
    """Its siblings do not keep it, which summarise the radar's traffic."""
    command = [sys.executable, "-c", BROKEN]
    settings = {"NATS_URL": log.broker.url, "AUDIT_DIR": log.audit, "QIKI_HTTP_PORT": 0}
    log.service.terminate()
    with ServiceProcess(command, log.audit.with_name("broken.log"), **settings) as broken:
        log.publish(1)
        assert broken.wait() == 1
        assert "a bug of ours" in broken.words()


def test_no_event_that_the_broker_takes_keeps_it_from_the_next(log: Log):
    """Raw, as no client of ours would send them; those named `test-` are sound events."""
    events = topics.EVENTS.subject.removesuffix(">").encode()
    commands = [event(events + name, f"test-{at}") for at, name in enumerate((b"caf\xe9", b"a\x0bb", b"a\x0cb"))]
    commands += [event(events + b"s", f"test-status-{status}", Status=status) for status in ("100", "404", "503", "no")]
    unreadable = [events + name for name in (b"caf\xe9", b"*", b"a.>", b"a\x0bb", b"x" * 4060, b"y." * 2030 + b"y")]
    commands += [b"PUB %s 1\r\n{\r\n" % subject for subject in unreadable]
    commands += [b"HPUB %s 1 1\r\nX\r\n" % (events + b"h"), b"HPUB %s 8 8\r\nNATS/1.0\r\n" % (events + b"h")]
    log.service.ready()
    send_raw(log.broker.url, commands)
    log.publish(9)

    sound = [f"test-{name}" for name in (0, 1, 2, "status-100", "status-404", "status-503", "status-no", 9)]
    until("all are registered", lambda: log.ids() == sound)
    until("the durable owes nothing", lambda: not log.owed())
    assert not log.service.said("NATS connection lost")

    origins = [letter.headers["x-qiki-origin-subject"] for letter in log.letters()]
    assert origins == [subject.decode(errors="replace") for subject in [*unreadable, events + b"h", events + b"h"]]
    log.check()


def event(subject: bytes, event_id: str, **more: str) -> bytes:
    headers = dict(RUN_STARTED.headers(event_id, MOMENT)) | more
    lines = ["NATS/1.0", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    block = "\r\n".join(lines).encode()
    return b"HPUB %s %d %d\r\n%s{}\r\n" % (subject, len(block), len(block) + 2, block)


def send_raw(url: str, commands: list[bytes]) -> None:
    """Publish what no client would, each command on its own."""
    address = urlsplit(url)
    for command in commands:
        with socket.create_connection((address.hostname, address.port)) as client, client.makefile("rb") as answers:
            client.sendall(b'CONNECT {"verbose":false,"headers":true}\r\n' + command + b"PING\r\n")
            assert any(line == b"PONG\r\n" for line in answers), command


def test_an_event_as_large_as_the_broker_takes_is_registered_whole(log: Log):
    size = (4 << 20) - 600  # its headers still fit, those of its record do not
    log.publish(1, size=size)
    until("it is registered", log.ids)
    (record,) = log.of(RUN_STARTED.ce_type)
    assert len(record["payload"]["text"]) == size
    until("it is told", lambda: [one for one in log.audited() if one.event_id == "test-1"])
    (told,) = [one for one in log.audited() if one.event_id == "test-1"]
    assert (told.payload, told.hash) == (None, record["hash"])


def test_old_files_are_removed_as_told_and_the_rest_is_whole(tmp_path: Path, log: Log):
    log.service.terminate()
    settings = {"AUDIT_MAX_BYTES": 2000, "AUDIT_KEEP_FILES": 3}
    small = ServiceProcess(
        "registrar", tmp_path / "2.log", NATS_URL=log.broker.url, AUDIT_DIR=log.audit, **settings
    )  # fmt: skip
    with small:
        for first in range(0, 40, 10):
            log.publish(*range(first, first + 10))
            until("they are registered", lambda last=first + 9: f"test-{last}" in log.ids())
        until("the oldest are removed", lambda: len(audit_files(log.audit)) <= 4)
    report = verify(log.audit)
    assert report.faults == []
    assert report.first_sequence > 1


@pytest.mark.parametrize("spoil", ["edit", "empty"])
def test_old_files_that_are_damaged_are_removed_as_told_too(tmp_path: Path, log: Log, spoil: str):
    log.publish(1, 2)
    until("they are registered", lambda: len(log.ids()) == 2)
    log.service.terminate()
    (old,) = audit_files(log.audit)
    *intact, damaged, last = old.read_bytes().splitlines(keepends=True)
    old.write_bytes(b"".join([*intact, damaged.replace(b"{", b"{ ", 1)]) if spoil == "edit" else b"")
    (log.audit / "audit-000002.jsonl").write_bytes(last)
    other = ServiceProcess(
        "registrar", tmp_path / "2.log", NATS_URL=log.broker.url, AUDIT_DIR=log.audit, AUDIT_KEEP_FILES=1
    )  # fmt: skip
    with other:
        log.publish(3, 4)
        until("the old one is removed", lambda: not old.exists())
        until("what came is told", lambda: {"test-3", "test-4"} <= {record.event_id for record in log.audited()})
    (pruned,) = [record["payload"] for record in log.of(AUDIT_PRUNED.ce_type)]
    assert (pruned["files"], pruned["last_sequence"]) == ([old.name], len(intact) if spoil == "edit" else 0)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["tail", "--severity", "bad"], "--severity bad: expected one of INFO, WARNING, ERROR, CRITICAL"),
        (["query", "--range", "12"], "expected one such as 2xx or 200-299"),
        (["query", "--since", "soon"], "expected 10m, 2h, or a time such as"),
        (["verify", "--nats", "nats://127.0.0.1:1"], "no NATS server with JetStream answers at nats://127.0.0.1:1"),
        (["tail", "--dir", "none"], "no audit log in none: start a stack with `qiki up`, or use --dir"),
    ],
)
def test_a_mistake_is_one_line_and_status_2(tmp_path: Path, words: list[str], reason: str):
    where = [] if "--dir" in words else ["--dir", str(tmp_path)]
    done = subprocess.run([*QIKI, "events", *words, *where], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith(f"qiki: {reason}")
    assert len(done.stderr.splitlines()) == 1


# With the whole system


def test_all_that_the_system_tells_is_registered_once(own_twin):
    twin = own_twin("mixed-traffic", speed=10)
    folder = twin.stack.folder.data / "audit"
    assert not twin.command("sim.dance").ok
    twin.await_event(rule_id="UNKNOWN_CONTACT_CLOSE")
    twin.kill("q-sim-radar")
    twin.await_ready()
    assert twin.command("sim.pause").ok

    def missing():
        told = {record.data.id for record in twin.events() if record.subject != topics.AUDIT.subject}
        return told - {record["event_id"] for record in registered(folder)}

    twin.await_until("every event is registered", lambda: not missing())
    records = registered(folder)
    assert {100, 101, 410, 500, 802} <= {record["code"] for record in records}
    alert = next(record for record in records if record["payload"].get("rule_id") == "UNKNOWN_CONTACT_CLOSE")
    assert (alert["code"], alert["severity"]) == (802, "CRITICAL")
    refusal = next(record for record in records if record["event_type"] == "qiki.events.v1.Refusal")
    assert (refusal["severity"], refusal["payload"]["command"]) == ("WARNING", "sim.dance")
    counts = Counter((record["source"], record["event_id"]) for record in records)
    assert set(counts.values()) == {1}
    words = cli("verify", twin)
    assert (words.returncode, words.stdout.splitlines()[0][:23]) == (0, "The audit log is whole:")
    assert "Compared with the audit stream" in words.stdout


def test_radar_traffic_is_summarised_and_every_frame_counted_once(own_twin):
    twin = own_twin("mixed-traffic", speed=5)
    folder = twin.stack.folder.data / "audit"
    twin.await_until("there are summaries", lambda: summaries(folder, RADAR_FRAMES_SEEN))
    for service in ("registrar", "nats"):
        twin.kill(service)
        twin.await_ready()
        seen = len(summaries(folder, RADAR_FRAMES_SEEN))
        twin.await_until("there are more", lambda seen=seen: len(summaries(folder, RADAR_FRAMES_SEEN)) > seen + 1)
    twin.stack.stop_service("registrar")
    assert twin.command("sim.pause").ok
    settle(twin)
    twin.stack.start_service("registrar")

    def all_counted():
        frames, tracked = twin.frames(), twin.tracked_frames()
        counted = [total(folder, kind, "frames") for kind in (RADAR_FRAMES_SEEN, RADAR_TRACKS_SEEN)]
        return counted == [len(frames), len(tracked)]

    twin.await_until("each is counted", all_counted)
    detections = sum(len(RadarFrame.from_json(record.body).detections) for record in twin.frames())
    assert total(folder, RADAR_FRAMES_SEEN, "detections") == detections
    assert total(folder, RADAR_TRACKS_SEEN, "tracks") == len(twin.tracks())
    seconds = [payload["second_epoch"] for payload in summaries(folder, RADAR_FRAMES_SEEN)]
    assert len(seconds) < len(twin.frames()) / 10

    shown = cli("query", twin, "--code", "210", "--json").stdout.splitlines()
    assert len(shown) == len(seconds)
    tail = cli("tail", twin, "-n", "3", "--range", "2xx").stdout.splitlines()
    assert tail[0].startswith("-- ")
    assert len(tail) == 4
    assert all("RADAR_" in line[:45] for line in tail[1:])


def registered(folder: Path) -> list[dict[str, Any]]:
    lines = [line for path in audit_files(folder) for line in path.read_bytes().splitlines(keepends=True)]
    return [json.loads(line) for line in lines if line.endswith(b"\n")]


def summaries(folder: Path, kind: Any) -> list[dict[str, Any]]:
    return [record["payload"] for record in registered(folder) if record["event_type"] == kind.ce_type]


def total(folder: Path, kind: Any, what: str) -> int:
    return sum(payload[what] for payload in summaries(folder, kind))


def cli(command: str, twin: Any, *words: str) -> "subprocess.CompletedProcess[str]":
    folder = twin.stack.folder.path
    environment = {name: value for name, value in os.environ.items() if name not in {"NATS_URL", "QIKI_RUN_DIR"}}
    return subprocess.run(
        [*QIKI, "events", command, "--run-dir", str(folder.parent), "--name", folder.name, *words],
        env=environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def events(log: Log, *words: str) -> "subprocess.CompletedProcess[str]":
    environment = os.environ | {"NATS_URL": log.broker.url}
    return subprocess.run(
        [*QIKI, "events", *words], env=environment, capture_output=True, text=True, timeout=60, check=False
    )


@contextlib.contextmanager
def full_disk(log: Log, room: int) -> Iterator[None]:
    """The system lets the registrar's files grow by so many bytes only."""
    process = log.service._process
    assert process
    size = audit_files(log.audit)[-1].stat().st_size
    assert log.service.log.stat().st_size + 2000 < size  # its own log must have room
    soft, hard = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (size + room, hard))
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (soft, hard))
