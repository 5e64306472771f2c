"""The registry: each event into the files once, flushed to the disk, then published on the audit subject."""

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TypeVar

import nats.errors
import structlog
from nats.js import JetStreamContext
from prometheus_client import Counter, Gauge
from pydantic import ValidationError
from pydantic_core import to_json

from qiki.audit.journal import Journal, Torn
from qiki.audit.recall import SeenEvents, can_come_again
from qiki.audit.record import Draft, Entry, Head, own_draft
from qiki.contracts import topics
from qiki.contracts.audit import AUDIT_SOURCE, AUDIT_TYPE, AuditRecord
from qiki.contracts.events import AUDIT_BROKEN, AUDIT_PRUNED, AUDIT_REPAIRED, AuditBroken, AuditPruned, AuditRepaired
from qiki.contracts.headers import cloud_event
from qiki.runtime.clock import now
from qiki.runtime.publisher import Publisher
from qiki.runtime.reading import read_payload
from qiki.runtime.retry import last_message, patiently
from qiki.runtime.service import Service
from registrar.settings import RegistrarSettings

CONDITION = "audit log"
RECORDS = Counter("qiki_registrar_records_total", "Records written and flushed", ["severity"])
DUPLICATES = Counter("qiki_registrar_duplicates_total", "Events that were registered already")
FAILED_WRITES = Counter("qiki_registrar_failed_writes_total", "Writes that the disk or the folder refused")
HEAD = Gauge("qiki_registrar_head_sequence", "Sequence of the newest record")
log = structlog.get_logger()
R = TypeVar("R")


class Registry:
    """The one writer of the audit log.

    `register` waits while the disk is full or the folder cannot be written. So nothing more is fetched, and what is not
    registered stays unacknowledged.
    """

    def __init__(
        self, service: Service[RegistrarSettings], journal: Journal, seen: SeenEvents, publisher: Publisher
    ) -> None:
        self._service = service
        self._journal = journal
        self._seen = seen
        self._publisher = publisher
        self._order = asyncio.Lock()

    async def register(self, drafts: Iterable[Draft]) -> None:
        """Register what is not registered yet, on the disk; raise StoppingError if the service stops before that."""
        async with self._order:
            drafts = list(drafts)
            fresh = self._seen.unseen(drafts)
            DUPLICATES.inc(len(drafts) - len(fresh))
            if fresh:
                await self._write(fresh)
                await self._prune()

    async def publish(self, entries: Iterable[Entry]) -> None:
        """Publish on the audit subject; the same record again makes the same message id."""
        for entry in entries:
            headers = audit_headers(entry)
            try:
                await self._publisher.publish(topics.AUDIT.subject, entry.line[:-1], headers)
            except nats.errors.MaxPayloadError:  # the event just fitted: its record goes without the payload
                body = to_json({**entry.fields, "payload": None})
                await self._publisher.publish(topics.AUDIT.subject, body, headers)

    async def record_repairs(self, torn: Sequence[Torn]) -> None:
        """Record the torn lines; then their remains are no longer needed."""
        for one in torn:
            payload = AuditRepaired(file=one.file, torn_bytes=one.size, ts_epoch=now().timestamp())
            self._service.log.warning("torn line taken away", file=one.file, bytes=one.size)
            await self.register([own_draft(AUDIT_REPAIRED, one.event_id, payload, now())])
            one.remains.unlink()

    async def record_break(self, found: Head, expected: Head) -> None:
        """Record that the files do not end as the audit stream says."""
        payload = AuditBroken(
            found_sequence=found.sequence,
            found_hash=found.hash,
            expected_sequence=expected.sequence,
            expected_hash=expected.hash,
            ts_epoch=now().timestamp(),
        )
        self._service.log.error("audit log was cut or changed", found=found.sequence, expected=expected.sequence)
        event_id = f"audit-broken:{expected.hash}:{found.sequence}"
        await self.register([own_draft(AUDIT_BROKEN, event_id, payload, now())])

    async def _write(self, drafts: list[Draft]) -> None:
        while drafts:
            entries = await on_files(self._service, partial(self._append, drafts))
            for entry in entries:
                if can_come_again(entry):
                    self._seen.add(entry.fields["source"], entry.fields["event_id"])
                RECORDS.labels(entry.fields["severity"]).inc()
            HEAD.set(self._journal.head.sequence)
            drafts = drafts[len(entries) :]
            await self.publish(entries)

    def _append(self, drafts: Sequence[Draft]) -> list[Entry]:
        return self._journal.append(drafts, now())

    async def _prune(self) -> None:
        """Record that the files beyond those to keep are removed, and how far they reached; then remove them."""
        surplus, last = await on_files(self._service, self._journal.surplus)
        if not surplus:
            return
        names = tuple(path.name for path in surplus)
        payload = AuditPruned(files=names, last_sequence=last.sequence, last_hash=last.hash, ts_epoch=now().timestamp())
        event_id = f"audit-pruned:{names[-1]}:{last.hash}"  # one of damaged files has the hash of others
        await self._write(self._seen.unseen([own_draft(AUDIT_PRUNED, event_id, payload, now())]))
        with contextlib.suppress(OSError):  # tried again after the next registration
            for path in surplus:
                path.unlink(missing_ok=True)


async def on_files(service: Service[RegistrarSettings], work: Callable[[], R]) -> R:
    """Work on the files in a thread; on an OSError be unready and retry. StoppingError if the service stops first."""
    problem = ""

    def failed(error: Exception) -> None:
        nonlocal problem
        FAILED_WRITES.inc()
        before, problem = problem, f"{service.settings.audit_dir}: {getattr(error, 'strerror', None) or error}"
        service.health.wait_for(CONDITION, f"{problem}; events wait in the stream")
        if problem != before:
            service.log.error("audit log cannot be written", problem=problem)

    attempt = partial(asyncio.to_thread, work)
    result = await patiently(attempt, service.stopping, retry_on=(OSError,), answers=(), failed=failed)
    service.health.met(CONDITION)
    if problem:
        service.log.info("audit log can be written again")
    return result


def audit_headers(entry: Entry) -> dict[str, str]:
    """Return the headers of a record on the audit subject."""
    moment: str = entry.fields["registered_at"]
    return cloud_event(f"audit:{entry.head.hash}", AUDIT_TYPE, AUDIT_SOURCE, moment)


async def newest_anchor(jetstream: JetStreamContext) -> Head | None:
    """Return the head of the newest record in the audit stream, or None; wait while the broker is away."""
    stream, subject = topics.QIKI_EVENTS_V1, topics.AUDIT.subject
    message = await patiently(lambda: last_message(jetstream, stream, subject), answers=())
    return read_anchor(message.data or b"") if message else None


def read_anchor(body: bytes) -> Head | None:
    """Return the head that an audit message makes; None where it is no audit record."""
    try:
        record = read_payload(AuditRecord, body)
    except ValidationError:
        log.error("the newest message on the audit subject is no audit record", subject=topics.AUDIT.subject)
        return None
    return Head(record.sequence, record.hash)
