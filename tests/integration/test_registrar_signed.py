"""The signed audit log: a forgery in the files or on the bus shows, and is not signed over."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from qiki.audit.files import PUBLIC_KEYS, audit_files
from qiki.audit.heads import is_signature
from qiki.audit.record import START, Draft, Entry, Head, seal, unseal
from qiki.audit.signing import KEY_FILE, SigningKey, load_key, make_key
from qiki.audit.verify import verify
from qiki.contracts import topics
from qiki.contracts.audit import AuditAnchor
from qiki.contracts.events import (
    AUDIT_ANCHOR_FAULT,
    AUDIT_BROKEN,
    AUDIT_DISPUTED,
    AUDIT_KEY_CHANGED,
    AUDIT_SIGNED,
    AUDIT_SIGNING_BEGUN,
    AUDIT_UNSIGNED,
    RUN_STARTED,
)
from qiki.contracts.headers import cloud_event
from qiki.contracts.identities import REGISTRAR
from qiki.runtime.identities.credentials import write_credentials
from qiki.runtime.identities.nkey import new_seed
from qiki.runtime.nats import new_client
from qiki_harness.cli.auditcheck import check
from qiki_harness.testing import Broker, ServiceProcess, until

QIKI = [sys.executable, "-c", "from qiki_harness.cli import main; main()"]
MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
FAR = 10**9
PER_FILE = 6000  # bytes
KILLS = 5


class SignedLog:
    """A registrar with a broker, a folder and a signing key of its own."""

    def __init__(self, folder: Path, broker: Broker) -> None:
        self.audit, self.keys = folder / "audit", folder / "keys"
        self.keys.mkdir(mode=0o700)
        self.public = make_key(self.keys / KEY_FILE)
        write_credentials(self.keys, REGISTRAR, new_seed(), datetime.now(UTC) + timedelta(days=1))
        self.broker = broker
        self.count = 0
        settings = {"NATS_URL": broker.url, "AUDIT_DIR": self.audit, "AUDIT_MAX_BYTES": PER_FILE}
        self.service = ServiceProcess("registrar", folder / "signed.log", QIKI_KEYS_DIR=self.keys, **settings)
        self.without_key = ServiceProcess("registrar", folder / "unsigned.log", **settings)

    @property
    def key(self) -> SigningKey:
        return load_key(self.keys / KEY_FILE)

    @property
    def lines(self) -> list[bytes]:
        return [line for path in audit_files(self.audit) for line in path.read_bytes().splitlines(keepends=True)]

    @property
    def entries(self) -> list[Entry]:
        return [unseal(line) for line in self.lines]

    def of(self, *kinds: Any) -> list[Entry]:
        types = {kind.ce_type for kind in kinds}
        found = [json.loads(line) for line in self.lines if line.endswith(b"\n")]
        return [Entry(b"", one, Head(one["sequence"], one["hash"])) for one in found if one["event_type"] in types]

    def register(self, count: int) -> None:
        """Let so many events happen, and wait until they are on record."""
        numbers = range(self.count, self.count + count)
        self.count += count

        async def send(jetstream: Any) -> None:
            for number in numbers:
                headers = dict(RUN_STARTED.headers(f"test-{number}", MOMENT))
                await jetstream.publish(RUN_STARTED.subject, json.dumps({"n": number}).encode(), headers=headers)

        self.on_broker(send)
        wanted = {f"test-{number}" for number in numbers}
        until("they are registered", lambda: wanted <= {one.fields["event_id"] for one in self.of(RUN_STARTED)})

    def publish(self, subject: str, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.on_broker(lambda jetstream: jetstream.publish(subject, body, headers=headers))

    def on_broker(self, work: Callable[[Any], Any]) -> Any:
        async def run() -> Any:
            client = new_client()
            await client.connect(self.broker.url)
            try:
                return await work(client.jetstream())
            finally:
                await client.close()

        return asyncio.run(run())

    def newest_anchor(self) -> AuditAnchor:
        message = self.on_broker(lambda jetstream: jetstream.get_last_msg(topics.QIKI_ANCHOR_V1, topics.ANCHOR.subject))
        return AuditAnchor.from_json(message.data)

    def verify(self, *words: str) -> "subprocess.CompletedProcess[str]":
        environment = os.environ | {"NATS_URL": self.broker.url}
        return subprocess.run(
            [*QIKI, "events", "verify", str(self.audit), *words],
            env=environment, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    def faults(self) -> list[str]:
        """The findings of `verify` with the true key."""
        return check(self.audit, [self.public.text], self.broker.url).faults

    def key_words(self) -> tuple[str, str]:
        return "--key", self.public.text


@pytest.fixture
def log(tmp_path: Path) -> Iterator[SignedLog]:
    with Broker(tmp_path / "nats") as broker:
        environment = os.environ | {"NATS_URL": broker.url}
        subprocess.run([sys.executable, "-m", "nats_js_init"], env=environment, check=True, capture_output=True)
        one = SignedLog(tmp_path, broker)
        with one.service:
            yield one


def test_a_log_is_signed_from_its_first_record_to_its_end(log: SignedLog):
    log.register(20)
    assert log.service.terminate() == 0

    first, *_, last = log.entries
    assert first.fields["event_type"] == AUDIT_SIGNING_BEGUN.ce_type
    assert first.before == START
    assert last.fields["event_type"] == AUDIT_SIGNED.ce_type
    anchor = log.newest_anchor()
    assert Head(anchor.sequence, anchor.hash) == last.before
    assert log.public.signed(anchor)
    assert (log.audit / PUBLIC_KEYS).read_text() == f"{log.public.text}\n"
    done = log.verify(*log.key_words())
    assert (done.returncode, done.stderr) == (0, "")
    assert f"Signed with key {log.public.fingerprint} from record 1 on, up to record {anchor.sequence}." in done.stdout
    assert f"the anchors' stream, which holds a signature of record {anchor.sequence}." in done.stdout
    assert "only chained" not in done.stdout
    assert "proves more" not in done.stdout
    assert "a key kept elsewhere proves more (--key)" in log.verify().stdout


def test_what_nothing_follows_is_signed_soon(log: SignedLog):
    log.register(1)
    (event,) = log.of(RUN_STARTED)
    until("it is signed", lambda: log.newest_anchor().sequence >= event.head.sequence)
    assert is_signature(log.entries[-1])


def test_no_kill_breaks_the_log_and_every_event_is_there_once(log: SignedLog):
    for _ in range(KILLS):
        log.register(30)
        log.service.kill()
        log.service.start()
    log.register(1)
    log.service.terminate()
    report = verify(log.audit, keys=[log.public], signed=log.newest_anchor())
    assert report.faults == []
    assert report.signatures.after == 0
    ids = [one.fields["event_id"] for one in log.of(RUN_STARTED)]
    assert sorted(ids) == sorted(f"test-{number}" for number in range(30 * KILLS + 1))
    assert len(log.of(AUDIT_SIGNING_BEGUN)) == 1


# Tampering with the files, while the registrar is down


def rewritten(entries: list[Entry], change: int) -> list[bytes]:
    """The log with one record changed and all hashes made again, as one can who has no key."""
    head, lines = START, []
    for entry in entries:
        fields = entry.fields
        payload = {"n": "forged"} if entry.head.sequence == change else fields["payload"]
        times = (datetime.fromisoformat(fields[name]) for name in ("timestamp", "registered_at"))
        timestamp, registered_at = times
        draft = Draft(
            fields["event_id"], fields["code"], fields["event_type"], fields["source"], timestamp, payload,
            fields["severity"],
        )  # fmt: skip
        again = seal(draft, head, registered_at)
        lines.append(again.line)
        head = again.head
    return lines


def change_record(log: SignedLog) -> None:
    file = audit_files(log.audit)[1]
    lines = file.read_bytes().splitlines(keepends=True)
    lines[2] = lines[2].replace(b'"n":', b'"n":7')
    file.write_bytes(b"".join(lines))


def remove_record(log: SignedLog) -> None:
    file = audit_files(log.audit)[1]
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines[:2] + lines[3:]))


def cut_records(log: SignedLog) -> None:
    file = audit_files(log.audit)[-1]
    file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[:-3]))


def cut_within_a_record(log: SignedLog) -> None:
    file = audit_files(log.audit)[-1]
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines[:-2]) + lines[-2][:40])


def remove_file(log: SignedLog) -> None:
    audit_files(log.audit)[1].unlink()


def remove_newest_file(log: SignedLog) -> None:
    audit_files(log.audit)[-1].unlink()


def remove_all_files(log: SignedLog) -> None:
    for path in audit_files(log.audit):
        path.unlink()


def swap_files(log: SignedLog) -> None:
    first, second, *_ = audit_files(log.audit)
    between = first.with_name("between")
    first.rename(between)
    second.rename(first)
    between.rename(second)


def swap_newest_files(log: SignedLog) -> None:
    *_, first, second = audit_files(log.audit)
    between = first.with_name("between")
    first.rename(between)
    second.rename(first)
    between.rename(second)


def chain_again(log: SignedLog) -> None:
    lines = rewritten(log.entries, change=10)
    remove_all_files(log)
    (log.audit / "audit-000001.jsonl").write_bytes(b"".join(lines))


def chain_again_without_signatures(log: SignedLog) -> None:
    lines = rewritten([entry for entry in log.entries if not is_signature(entry)], change=10)
    remove_all_files(log)
    (log.audit / PUBLIC_KEYS).unlink()
    (log.audit / "audit-000001.jsonl").write_bytes(b"".join(lines))


def chain_again_and_sign(log: SignedLog) -> None:
    """With a key of the forger's."""
    other = make_key(log.audit / "other.pem")
    key = load_key(log.audit / "other.pem")
    head, lines = START, []
    for line in rewritten(log.entries, change=10):
        entry = unseal(line)
        fields = entry.fields
        payload = fields["payload"]
        if is_signature(entry):
            payload = payload | {"head": key.sign(head, MOMENT).model_dump(mode="json")}
        draft = Draft(
            fields["event_id"], fields["code"], fields["event_type"], fields["source"],
            datetime.fromisoformat(fields["timestamp"]), payload, fields["severity"],
        )  # fmt: skip
        again = seal(draft, head, datetime.fromisoformat(fields["registered_at"]))
        lines.append(again.line)
        head = again.head
    remove_all_files(log)
    (log.audit / "audit-000001.jsonl").write_bytes(b"".join(lines))
    (log.audit / PUBLIC_KEYS).write_text(f"{other.text}\n")


def put_old_log_back(log: SignedLog) -> None:
    """As it was in the middle of its life, all of it genuine and signed."""
    entries = log.entries
    middle = [one.head.sequence for one in entries[: len(entries) // 2] if is_signature(one)][-1]
    remove_all_files(log)
    (log.audit / "audit-000001.jsonl").write_bytes(b"".join(one.line for one in entries[:middle]))


def append_far_record(log: SignedLog) -> None:
    forged = seal(draft_of("forged"), Head(FAR - 1, "f" * 64), MOMENT)
    with audit_files(log.audit)[-1].open("ab") as file:
        file.write(forged.line)


def append_long_tail(log: SignedLog) -> None:
    """More records than are ever left unsigned, rightly chained to the true end."""
    head = log.entries[-1].head
    with audit_files(log.audit)[-1].open("ab") as file:
        for number in range(3000):
            forged = seal(draft_of(f"forged-{number}"), head, MOMENT)
            file.write(forged.line)
            head = forged.head


def draft_of(event_id: str) -> Draft:
    return Draft(event_id, 500, RUN_STARTED.ce_type, RUN_STARTED.source, MOMENT, {"n": 0}, "INFO")


WAYS = (
    change_record,
    remove_record,
    cut_records,
    cut_within_a_record,
    remove_file,
    remove_newest_file,
    remove_all_files,
    swap_files,
    swap_newest_files,
    chain_again,
    chain_again_without_signatures,
    chain_again_and_sign,
    put_old_log_back,
    append_far_record,
    append_long_tail,
)


@pytest.mark.parametrize("tamper", WAYS, ids=lambda way: way.__name__)
def test_what_is_forged_while_it_is_down_shows_before_and_after_its_start(log: SignedLog, tamper):
    log.register(20)
    until("some are signed", lambda: len(log.of(AUDIT_SIGNED)) > 1)
    log.register(25)
    log.service.terminate()
    genuine, end = {entry.head for entry in log.entries}, log.entries[-1].head
    assert len(audit_files(log.audit)) >= 4
    assert log.faults() == []

    tamper(log)

    assert log.faults() != []
    log.service.start()
    log.register(1)
    log.service.terminate()
    broken = log.of(AUDIT_BROKEN)
    assert {(one.fields["code"], one.fields["severity"]) for one in broken} == {(802, "CRITICAL")}
    assert broken[0].before in genuine, "it continues what somebody else wrote"
    assert end.sequence - 1 <= broken[0].before.sequence <= end.sequence
    assert log.newest_anchor().sequence > end.sequence
    assert any("when the registrar began at" in fault for fault in log.faults())


def test_it_tells_of_a_break_once(log: SignedLog):
    log.register(20)
    log.service.terminate()
    chain_again(log)
    for _ in range(3):
        log.service.start()
        log.register(1)
        log.service.terminate()
    told = [(one.fields["payload"]["found_sequence"], one.fields["event_id"]) for one in log.of(AUDIT_BROKEN)]
    assert len(told) == len(set(told))
    assert len(told) <= 2


def test_a_part_of_a_record_that_a_crash_left_is_no_break(log: SignedLog):
    log.register(5)
    log.service.kill()
    with audit_files(log.audit)[-1].open("ab") as file:
        file.write(b'{"event_id":"half')
    log.service.start()
    log.register(1)
    log.service.terminate()
    assert log.of(AUDIT_BROKEN) == []
    assert log.verify(*log.key_words()).returncode == 0


# Forged on the bus


def test_a_record_far_ahead_on_the_bus_does_not_move_the_log(log: SignedLog):
    log.register(3)
    log.service.terminate()
    end = log.entries[-1].head
    forge_record(log, FAR)
    assert log.verify(*log.key_words()).returncode == 1

    log.service.start()
    log.register(1)
    log.service.terminate()

    (disputed,) = log.of(AUDIT_DISPUTED)
    assert disputed.fields["payload"]["record_sequence"] == FAR
    assert disputed.head.sequence == end.sequence + 1
    assert log.verify(*log.key_words()).returncode == 0


def test_a_record_far_ahead_on_the_bus_does_not_move_an_unsigned_log_either(log: SignedLog):
    log.service.ready().terminate()
    for path in audit_files(log.audit):
        path.unlink()
    log.on_broker(lambda jetstream: jetstream.purge_stream(topics.QIKI_EVENTS_V1, subject=topics.AUDIT.subject))
    with log.without_key:
        log.register(3)
        log.without_key.terminate()
        end = log.entries[-1].head
        forge_record(log, FAR)
        log.without_key.start()
        log.register(1)
    assert log.of(AUDIT_DISPUTED)[0].head.sequence == end.sequence + 1


def forge_record(log: SignedLog, sequence: int) -> None:
    forged = seal(draft_of("forged"), Head(sequence - 1, "f" * 64), MOMENT)
    headers = cloud_event("forged", "qiki.events.v1.AuditRecord", "urn:qiki:registrar:audit", "2026-01-01T00:00:00Z")
    log.publish(topics.AUDIT.subject, forged.line[:-1], headers)


def test_what_is_no_record_on_the_audit_subject_is_told(log: SignedLog):
    log.register(3)
    log.service.terminate()
    log.publish(topics.AUDIT.subject, b"nothing to see")
    found = log.verify(*log.key_words())
    assert found.returncode == 1
    assert "is no audit record" in found.stdout
    log.service.start()
    log.register(1)
    assert [one.fields["payload"]["record_sequence"] for one in log.of(AUDIT_DISPUTED)] == [None]


@pytest.mark.parametrize("forge", ["garbage", "another key", "changed"])
def test_a_forged_anchor_is_a_fault_and_moves_nothing(log: SignedLog, tmp_path: Path, forge: str):
    log.register(3)
    log.service.terminate()
    end = log.entries[-1].head
    genuine = log.newest_anchor()
    for _ in range(3):
        log.publish(topics.ANCHOR.subject, forged_anchor(forge, genuine, tmp_path))
    found = log.verify(*log.key_words())
    assert found.returncode == 1
    assert f"its newest 3 messages are not signed with key {log.public.fingerprint}" in found.stdout

    log.service.start()
    log.register(1)
    log.service.terminate()

    (fault,) = log.of(AUDIT_ANCHOR_FAULT)
    assert (fault.fields["payload"]["skipped"], fault.fields["payload"]["sequence"]) == (3, genuine.sequence)
    assert fault.head.sequence == end.sequence + 1
    assert log.of(AUDIT_BROKEN) == []
    assert log.verify(*log.key_words()).returncode == 0


def forged_anchor(how: str, genuine: AuditAnchor, folder: Path) -> bytes:
    if how == "garbage":
        return b"\x00 nothing to see"
    if how == "changed":
        return genuine.model_copy(update={"sequence": FAR}).to_json()
    other = folder / "forger.pem"
    if not other.exists():
        make_key(other)
    return load_key(other).sign(Head(FAR, "f" * 64), MOMENT).to_json()


def test_a_lost_stream_of_anchors_is_a_fault_for_ever(log: SignedLog):
    log.register(3)
    log.service.terminate()
    log.on_broker(lambda jetstream: jetstream.delete_stream(topics.QIKI_ANCHOR_V1))
    environment = os.environ | {"NATS_URL": log.broker.url}
    subprocess.run([sys.executable, "-m", "nats_js_init"], env=environment, check=True, capture_output=True)
    found = log.verify(*log.key_words())
    assert found.returncode == 1
    assert "it holds no head of the log" in found.stdout
    log.service.start()
    log.register(1)
    log.service.terminate()
    later = log.verify(*log.key_words())
    assert later.returncode == 1
    assert "the anchors' stream held no anchor when the registrar began" in later.stdout


# Keys


def test_a_log_from_before_is_taken_over_and_says_from_where_on_it_is_signed(log: SignedLog):
    """Also where the folder of keys came first, without the key."""
    log.service.ready().terminate()
    for path in [*audit_files(log.audit), log.audit / PUBLIC_KEYS]:
        path.unlink()
    log.on_broker(lambda jetstream: jetstream.purge_stream(topics.QIKI_EVENTS_V1, subject=topics.AUDIT.subject))
    recreate_anchors(log)
    with log.without_key:
        log.register(5)
        log.without_key.terminate()
    assert "It is not signed" in log.verify().stdout
    away = log.keys / "away"
    (log.keys / KEY_FILE).rename(away)
    log.service.start()
    log.register(2)
    assert log.service.said("audit log is not signed: there is no signing key")
    log.service.terminate()
    (unsigned,) = log.of(AUDIT_UNSIGNED)
    assert (unsigned.fields["code"], unsigned.fields["severity"]) == (802, "WARNING")
    away.rename(log.keys / KEY_FILE)
    before = len(log.lines)

    log.service.start()
    log.register(2)
    log.service.terminate()

    (begun,) = log.of(AUDIT_SIGNING_BEGUN)
    assert begun.head.sequence == before + 1
    done = log.verify(*log.key_words())
    assert done.returncode == 0, done.stdout
    assert f"from record {before + 1} on" in done.stdout
    assert f"{before} records before the first signature: as they were found then." in done.stdout


def recreate_anchors(log: SignedLog) -> None:
    log.on_broker(lambda jetstream: jetstream.delete_stream(topics.QIKI_ANCHOR_V1))
    environment = os.environ | {"NATS_URL": log.broker.url}
    subprocess.run([sys.executable, "-m", "nats_js_init"], env=environment, check=True, capture_output=True)


@pytest.mark.parametrize("lost", ["file", "variable"])
def test_a_missing_key_of_a_signed_log_is_told_and_waited_for(log: SignedLog, lost: str):
    log.register(3)
    log.service.terminate()
    end = log.entries[-1].head
    away = log.keys / "away"
    (log.keys / KEY_FILE).rename(away)
    service = log.service if lost == "file" else log.without_key
    where = f"{log.keys / KEY_FILE}: there is no such file" if lost == "file" else "QIKI_KEYS_DIR: is not set"
    with service:
        until("it says so", lambda: "signing key" in service.get("/readyz")[1])
        status, body = service.get("/readyz")
        assert status == 503
        assert json.loads(body)["waiting_for"]["signing key"] == (
            f"{where}, but the audit log is signed, with key {log.public.fingerprint}; events wait in the stream"
        )
        away.rename(log.keys / KEY_FILE)
        if lost == "file":
            service.ready()
            log.register(1)
        service.terminate()
    assert log.entries[-1].head == end or lost == "file"
    assert log.verify(*log.key_words()).returncode == 0


def test_another_key_is_on_record_and_each_key_proves_its_part(log: SignedLog):
    log.register(3)
    log.service.terminate()
    (log.keys / KEY_FILE).rename(log.keys / "old.pem")
    second = make_key(log.keys / KEY_FILE)

    log.service.start()
    log.register(3)
    log.service.terminate()

    (changed,) = log.of(AUDIT_KEY_CHANGED)
    assert (changed.fields["code"], changed.fields["severity"]) == (802, "CRITICAL")
    assert changed.fields["payload"]["previous_key"] == log.public.text
    assert log.of(AUDIT_BROKEN, AUDIT_ANCHOR_FAULT) == []
    only_first, only_second = log.verify(*log.key_words()), log.verify("--key", second.text)
    assert f"from record {changed.head.sequence} on it is signed with another key" in only_first.stdout
    assert (only_first.returncode, only_second.returncode) == (1, 1)
    both = log.verify(*log.key_words(), "--key", str(log.keys / "signing.pub"))
    assert both.returncode == 0, both.stdout
    assert log.verify().returncode == 0  # the keys beside the log


def test_a_log_cut_before_another_key_came_is_broken_too(log: SignedLog):
    log.register(30)
    log.service.terminate()
    end = log.entries[-1].head
    cut_records(log)
    (log.keys / KEY_FILE).rename(log.keys / "old.pem")
    make_key(log.keys / KEY_FILE)
    log.service.start()
    log.register(1)
    (broken,) = log.of(AUDIT_BROKEN)
    assert broken.head.sequence >= end.sequence
    assert len(log.of(AUDIT_KEY_CHANGED)) == 1


@pytest.mark.parametrize(
    "content", [b"", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", b"\xff\x00"]
)
def test_a_file_that_is_no_key_ends_it_in_one_line(log: SignedLog, content: bytes):
    log.service.terminate()
    (log.keys / KEY_FILE).write_bytes(content)
    log.service.start()
    assert log.service.wait() == 2
    lines = [line for line in log.service.words().splitlines() if not line.startswith("{")]
    expected = f"registrar: {log.keys / KEY_FILE}: expected an Ed25519 private key in PEM, without a password"
    assert lines == [expected]


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("nowhere.pub", "nowhere.pub: expected ed25519:BASE64, or a file of such lines"),
        ("ed25519:AAAA", "ed25519:AAAA: no public key: expected ed25519:BASE64, one a line"),
    ],
)
def test_a_wrong_key_is_one_line(tmp_path: Path, key: str, reason: str):
    done = subprocess.run(
        [*QIKI, "events", "verify", str(tmp_path), "--key", key],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (2, f"qiki: {reason}\n")
