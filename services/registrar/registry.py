"""Registers: into the files once each, flushed to the disk, then told on the audit subject."""

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

import nats.errors
from prometheus_client import Counter, Gauge
from pydantic_core import to_json

from qiki.audit.dedupe import SeenEvents
from qiki.audit.journal import Journal, Torn, last_head
from qiki.audit.recall import can_come_again
from qiki.audit.record import Draft, Entry, Head, own_draft
from qiki.contracts import topics
from qiki.contracts.audit import AUDIT_SOURCE, AUDIT_TYPE
from qiki.contracts.events import (
    AUDIT_BROKEN,
    AUDIT_PRUNED,
    AUDIT_REPAIRED,
    AuditBroken,
    AuditPruned,
    AuditRepaired,
)
from qiki.contracts.headers import cloud_event
from qiki.runtime.clock import now
from qiki.runtime.service import Service
from qiki.runtime.window import PublishWindow
from registrar.settings import RegistrarSettings

CONDITION = "audit log"
RETRY_S = 0.5
RECORDS = Counter("qiki_registrar_records_total", "Records written and flushed", ["severity"])
DUPLICATES = Counter("qiki_registrar_duplicates_total", "Events that were registered already")
FAILED_WRITES = Counter("qiki_registrar_failed_writes_total", "Writes that the disk or the folder refused")
HEAD = Gauge("qiki_registrar_head_sequence", "Sequence of the newest record")

R = TypeVar("R")


class StoppingError(Exception):
    """The service is told to stop while the files cannot be written: what was in hand comes again."""


class Registry:
    """The one writer of the audit log.

    A disk that is full and a folder that cannot be written are waited for: whoever registers waits, so nothing more is
    fetched, and what is not registered stays unacknowledged.
    """

    def __init__(
        self, service: Service[RegistrarSettings], journal: Journal, seen: SeenEvents, window: PublishWindow
    ) -> None:
        self._service = service
        self._journal = journal
        self._seen = seen
        self._window = window
        self._order = asyncio.Lock()

    async def register(self, drafts: Iterable[Draft]) -> None:
        """Register what is not registered yet; returns once it is on the disk.

        Raises:
            StoppingError: the service stops, and it could not be written.
        """
        async with self._order:
            drafts = list(drafts)
            fresh = self._seen.unseen(drafts)
            DUPLICATES.inc(len(drafts) - len(fresh))
            if fresh:
                await self._write(fresh)
                await self._prune()

    async def publish(self, entries: Iterable[Entry]) -> None:
        """Tell the audit subject; the same record again makes the same message id."""
        for entry in entries:
            headers = audit_headers(entry)
            try:
                await self._window.publish(topics.AUDIT.subject, entry.line[:-1], headers)
            except nats.errors.MaxPayloadError:  # the event just fitted: its record is told without the payload
                body = to_json({**entry.fields, "payload": None})
                await self._window.publish(topics.AUDIT.subject, body, headers)

    async def record_repairs(self, torn: Sequence[Torn]) -> None:
        """Put on record what was torn off."""
        for one in torn:
            payload = AuditRepaired(file=one.file, torn_bytes=one.size, ts_epoch=now().timestamp())
            self._service.log.warning("torn line taken away", file=one.file, bytes=one.size)
            await self.register([own_draft(AUDIT_REPAIRED, one.event_id, payload, now())])
            one.recorded()

    async def record_break(self, found: Head, expected: Head) -> None:
        """Put on record that the files do not end as the audit stream says."""
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
            entries = await patiently(self._service, partial(self._append, drafts))
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
        """Remove files beyond those that are kept; that, and how far they reached, is on record before."""
        surplus, last = await patiently(self._service, self._surplus)
        if not surplus:
            return
        names = tuple(path.name for path in surplus)
        payload = AuditPruned(files=names, last_sequence=last.sequence, last_hash=last.hash, ts_epoch=now().timestamp())
        event_id = f"audit-pruned:{names[-1]}:{last.hash}"  # one of damaged files has the hash of others
        await self._write(self._seen.unseen([own_draft(AUDIT_PRUNED, event_id, payload, now())]))
        with contextlib.suppress(OSError):  # tried again after the next registration
            for path in surplus:
                path.unlink(missing_ok=True)

    def _surplus(self) -> tuple[list[Path], Head]:
        """The files to remove, and how far they reach."""
        surplus = self._journal.surplus()
        return surplus, last_head(surplus)


async def patiently(service: Service[RegistrarSettings], work: Callable[[], R]) -> R:
    """Do something with the files, in a thread; where they refuse, say so and wait until they do not.

    Raises:
        StoppingError: the service is told to stop first.
    """
    told = ""
    while True:
        try:
            result = await asyncio.to_thread(work)
        except OSError as error:
            FAILED_WRITES.inc()
            problem = f"{service.settings.audit_dir}: {error.strerror or error}"
            service.health.wait_for(CONDITION, f"{problem}; events wait in the stream")
            if problem != told:
                service.log.error("audit log cannot be written", problem=problem)
                told = problem
        else:
            service.health.met(CONDITION)
            if told:
                service.log.info("audit log can be written again")
            return result
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(service.stopping.wait(), RETRY_S)
        if service.stopping.is_set():
            raise StoppingError(told)


def audit_headers(entry: Entry) -> dict[str, str]:
    """Headers of a record on the audit subject."""
    moment: str = entry.fields["registered_at"]
    return cloud_event(f"audit:{entry.head.hash}", AUDIT_TYPE, AUDIT_SOURCE, moment)
