"""The check behind `qiki events verify`: the files, the keys that signed them, and the end that the broker holds."""

import asyncio
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import nats.errors
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError

from qiki.audit.files import PUBLIC_KEYS
from qiki.audit.signatures import Signatures
from qiki.audit.signing import PublicKey, read_public
from qiki.audit.verify import AuditReport, verify
from qiki.runtime.identities.credentials import nats_options
from qiki.runtime.nats import new_client
from qiki_harness.errors import HarnessError
from registrar.anchors import Anchors, Told, newest_anchor, newest_record

_ANSWER_S = 5.0
_SHOWN_FAULTS = 20


@dataclass(frozen=True)
class Held:
    """The broker's copy of the end: the newest record on the audit subject, and the newest signed head."""

    told: Told | None
    anchors: Anchors


@dataclass(frozen=True)
class Verdict:
    """The result of a check.

    Attributes:
        given: the keys are the user's, not the log's own
        held: None: no broker was asked
    """

    folder: Path
    report: AuditReport
    given: bool
    held: Held | None
    broker_faults: list[str] = field(default_factory=list)

    @property
    def faults(self) -> list[str]:
        """All that is wrong, in one line each."""
        return [*map(str, self.report.faults), *self.broker_faults]

    def lines(self) -> Iterator[str]:
        """Yield the result for people."""
        faults = self.faults
        yield self._summary(len(faults))
        yield from (f"  {fault}" for fault in faults[:_SHOWN_FAULTS])
        if len(faults) > _SHOWN_FAULTS:
            yield f"  and {len(faults) - _SHOWN_FAULTS} more"
        if self.report.records:
            yield from _signed(self.report.signatures, given=self.given)

    def _summary(self, count: int) -> str:
        report = self.report
        if count:
            return f"The audit log in {self.folder} is NOT as it was written: {count} fault{'s' if count > 1 else ''}."
        if not report.records:
            return f"The audit log in {self.folder} is empty."
        records = f"{report.records} records ({report.first_sequence} to {report.head.sequence})"
        files = f"{report.files} file{'s' if report.files > 1 else ''}"
        return f"The audit log is whole: {records} in {files}, head {report.head.hash[:16]}."


def check(folder: Path, given: Sequence[str], url: str | None, own: str | None = None) -> Verdict:
    """Check a log with the keys given, else with those beside it, else with those that it names itself.

    Args:
        url: the broker's; None: the files alone are checked
        own: folder of the credentials for it
    """
    keys = tuple(key for text in given for key in read_public(text)) or _beside(folder)
    asked = keys or tuple(span.key for span in verify(folder).signatures.spans) if url else ()
    held = _held(url, asked, own) if url else None  # before the files, which must have those records
    told = held.told.head if held and held.told else None
    report = verify(folder, told, keys=keys, signed=held.anchors.newest if held else None)
    faults = list(_broker_faults(held, asked, report)) if held else []
    return Verdict(folder, report, bool(given), held, faults)


def _beside(folder: Path) -> tuple[PublicKey, ...]:
    path = folder / PUBLIC_KEYS
    return read_public(str(path)) if path.exists() else ()


def _broker_faults(held: Held, keys: Sequence[PublicKey], report: AuditReport) -> Iterator[str]:
    """Yield what is wrong with the broker's side."""
    if held.told and held.told.head is None:
        yield f"audit stream: its newest record (sequence {held.told.stream_sequence}) is no audit record"
    anchors, names = held.anchors, " or ".join(key.fingerprint for key in keys)
    if keys and anchors.skipped:
        yield f"anchors' stream: its newest {anchors.skipped} messages are not signed with key {names}"
    elif not keys and anchors.skipped:
        yield f"anchors' stream: it holds {anchors.skipped} messages or more, but the log has no signature"
    elif report.signatures.spans and anchors.newest is None:
        yield f"anchors' stream: it holds no head of the log, which is signed with key {names}"


def _signed(signatures: Signatures, *, given: bool) -> Iterator[str]:
    """Yield how far the log is signed, with which keys, and what that proves."""
    if not signatures.spans:
        yield "It is not signed: who can write to its files can make it look whole."
        return
    for span in signatures.spans:
        yield f"Signed with key {span.key.fingerprint} from record {span.first} on, up to record {span.last}."
    if signatures.before:
        yield f"{_records(signatures.before)} before the first signature: as they were found then."
    if signatures.adopted:
        yield f"{_records(signatures.adopted)} signed only after a restart of the registrar."
    if signatures.after:
        yield f"{_records(signatures.after)} after the last signed head: only chained."
    if not given:
        yield "The key is one that lies with the log: a key kept elsewhere proves more (--key)."


def _records(count: int) -> str:
    return f"{count} record{'s' if count > 1 else ''}"


def _held(url: str, keys: Sequence[PublicKey], own: str | None) -> Held:
    """Ask the broker."""

    async def ask() -> Held:
        client = new_client()
        await client.connect(url, name="qiki events", **nats_options(own, url))
        try:
            return Held(await newest_record(client.jetstream()), await _anchors(client.jetstream(), keys))
        finally:
            await client.close()

    try:
        address = urlsplit(url)
        # The client itself tries for minutes.
        socket.create_connection((address.hostname, address.port or 4222), _ANSWER_S).close()
        return asyncio.run(asyncio.wait_for(ask(), _ANSWER_S))
    except (OSError, ValueError, TimeoutError, nats.errors.Error):
        raise HarnessError(f"no NATS server with JetStream answers at {url}") from None


async def _anchors(jetstream: JetStreamContext, keys: Sequence[PublicKey]) -> Anchors:
    try:
        return await newest_anchor(jetstream, keys)
    except NotFoundError:  # a broker from before there were anchors
        return Anchors()
