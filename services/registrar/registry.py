"""The registry: each event into the files once, flushed to the disk, then published on the audit subject.

Signed heads are records too; each is published as an anchor once its record is stored.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TypeVar

import nats.errors
from prometheus_client import Counter, Gauge
from pydantic_core import to_json

from qiki.audit.heads import SIGN_EVERY, is_signature, read_signature
from qiki.audit.journal import Journal, Torn
from qiki.audit.recall import SeenEvents, can_come_again
from qiki.audit.record import Draft, Entry, own_draft
from qiki.audit.standing import Break
from qiki.contracts import topics
from qiki.contracts.audit import AUDIT_SOURCE, AUDIT_TYPE
from qiki.contracts.events import (
    AUDIT_BROKEN,
    AUDIT_PRUNED,
    AUDIT_REPAIRED,
    AUDIT_SIGNED,
    AuditBroken,
    AuditPruned,
    AuditRepaired,
    EventKind,
    EventPayload,
)
from qiki.contracts.headers import cloud_event
from qiki.runtime.clock import now
from qiki.runtime.publisher import Publisher
from qiki.runtime.retry import StoppingError, patiently, unless_stopping
from qiki.runtime.service import Service
from registrar.anchors import anchor_headers
from registrar.settings import RegistrarSettings

CONDITION = "audit log"
RECORDS = Counter("qiki_registrar_records_total", "Records written and flushed", ["severity"])
DUPLICATES = Counter("qiki_registrar_duplicates_total", "Events that were registered already")
FAILED_WRITES = Counter("qiki_registrar_failed_writes_total", "Writes that the disk or the folder refused")
SIGNED = Gauge("qiki_registrar_signed_sequence", "Sequence of the newest signed head; 0 without a signing key")
HEAD = Gauge("qiki_registrar_head_sequence", "Sequence of the newest record")
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
        self._unsigned = asyncio.Event()
        self._anchors: set[asyncio.Task[None]] = set()

    @property
    def settings(self) -> RegistrarSettings:
        """The service's settings."""
        return self._service.settings

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
                stored = await self._publisher.publish(topics.AUDIT.subject, entry.line[:-1], headers)
            except nats.errors.MaxPayloadError:  # the event just fitted: its record goes without the payload
                body = to_json({**entry.fields, "payload": None})
                stored = await self._publisher.publish(topics.AUDIT.subject, body, headers)
            if is_signature(entry):
                task = asyncio.create_task(self._anchor(entry, stored))
                self._anchors.add(task)
                task.add_done_callback(self._anchors.discard)

    async def record_repairs(self, torn: Sequence[Torn]) -> None:
        """Record the torn lines; then their remains are no longer needed."""
        for one in torn:
            payload = AuditRepaired(file=one.file, torn_bytes=one.size, ts_epoch=now().timestamp())
            self._service.log.warning("torn line taken away", file=one.file, bytes=one.size)
            await self.register([own_draft(AUDIT_REPAIRED, one.event_id, payload, now())])
            one.remains.unlink()

    async def record_break(self, broken: Break) -> None:
        """Record that the files are not as they were left, once for each place."""
        found, expected = broken.found, broken.expected
        payload = AuditBroken(
            found_sequence=found.sequence,
            found_hash=found.hash,
            expected_sequence=expected.sequence,
            expected_hash=expected.hash,
            ts_epoch=now().timestamp(),
        )
        self._service.log.error("audit log was cut or changed", found=found.sequence, expected=expected.sequence)
        await self.record(AUDIT_BROKEN, f"audit-broken:{expected.hash}:{found.sequence}", payload)

    async def record(self, kind: EventKind, event_id: str, payload: EventPayload) -> None:
        """Record an event of the registrar's own."""
        await self.register([own_draft(kind, event_id, payload, now())])

    async def sign(self, kind: EventKind = AUDIT_SIGNED, **fields: object) -> None:
        """Sign the head, and record it; `fields` are those of the kind's payload."""
        async with self._order:
            await self._sign(kind, **fields)

    async def sign_in_time(self) -> None:
        """Sign what nothing follows, a second after it, until the service stops; then sign the end."""
        stopping = self._service.stopping
        with contextlib.suppress(StoppingError):
            while True:
                await unless_stopping(stopping, self._unsigned.wait())
                await unless_stopping(stopping, asyncio.sleep(SIGN_EVERY.total_seconds()))
                async with self._order:
                    if (signer := self._journal.signer) and signer.due(now()):
                        await self._sign(AUDIT_SIGNED)

    async def sign_end(self) -> None:
        """Sign what is not signed yet. If the disk refuses, the next process does."""
        signer = self._journal.signer
        with contextlib.suppress(StoppingError):
            if signer and signer.unsigned:
                await self.sign()
        await asyncio.gather(*self._anchors)

    async def anchored(self) -> None:
        """Wait until the newest anchor is stored; raise StoppingError if the service stops before that.

        The key's first one must not be missing when the first event is on record.
        """
        await unless_stopping(self._service.stopping, self._drained())

    async def _drained(self) -> None:
        await asyncio.gather(*self._anchors)
        await self._publisher.drained()

    async def _sign(self, kind: EventKind, **fields: object) -> None:
        await self._stored(await on_files(self._service, lambda: self._journal.sign(now(), kind, **fields)))

    async def _write(self, drafts: list[Draft]) -> None:
        while drafts:
            entries = await on_files(self._service, partial(self._append, drafts))
            drafts = drafts[sum(not is_signature(entry) for entry in entries) :]
            await self._stored(entries)

    async def _stored(self, entries: Sequence[Entry]) -> None:
        """Note and publish what is on the disk."""
        for entry in entries:
            if can_come_again(entry):
                self._seen.add(entry.fields["source"], entry.fields["event_id"])
            RECORDS.labels(entry.fields["severity"]).inc()
        HEAD.set(self._journal.head.sequence)
        if self._journal.signer and self._journal.signer.unsigned:
            self._unsigned.set()
        else:
            self._unsigned.clear()
        await self.publish(entries)

    async def _anchor(self, entry: Entry, stored: "asyncio.Future[None]") -> None:
        """Publish a signed head once its record is stored: what is published again at a start begins behind it."""
        await asyncio.wait([stored])
        if (anchor := read_signature(entry)) is not None:
            await self._publisher.publish(topics.ANCHOR.subject, anchor.to_json(), anchor_headers(anchor))
            SIGNED.set(anchor.sequence)

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
