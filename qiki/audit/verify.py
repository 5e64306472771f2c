"""Verification of the audit log: no record was changed, removed, swapped or cut off, and the heads are signed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from qiki.audit.files import audit_files, file_name, file_number, has_writer, read_lines
from qiki.audit.record import START, DamagedLineError, Entry, Head, unseal
from qiki.audit.signatures import Signatures
from qiki.audit.signing import PublicKey, head_of
from qiki.contracts.audit import AuditAnchor
from qiki.contracts.events import AUDIT_ANCHOR_FAULT, AUDIT_BROKEN, AUDIT_PRUNED


@dataclass(frozen=True, slots=True)
class LogFault:
    """A difference from what was written, and its place."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


@dataclass
class AuditReport:
    """Contents of the log, and its faults."""

    files: int = 0
    records: int = 0
    first_sequence: int = 0
    head: Head = START
    signatures: Signatures = field(default_factory=Signatures)
    faults: list[LogFault] = field(default_factory=list)


def verify(
    folder: Path,
    anchor: Head | None = None,
    *,
    keys: Sequence[PublicKey] = (),
    signed: AuditAnchor | None = None,
) -> AuditReport:
    """Check every line of every file.

    Args:
        folder: of the log
        anchor: newest record in the audit stream, read before this call
        keys: public keys that are trusted: one of them must have signed the log. Without any, who rewrote the log
            may have signed it too
        signed: newest signed head in the anchors' stream, read before this call. Without it and `anchor`, a log that
            was cut off behind a signature passes
    """
    files = audit_files(folder)
    live = has_writer(folder)
    claims = [_Claim(anchor, "audit stream")] if anchor else []
    claims += [_Claim(head_of(signed), "anchors' stream")] if signed else []
    chain = _Chain(claims, keys)
    for path in files:
        chain.file(path)
        for number, line in enumerate(read_lines(path), 1):
            if live and path == files[-1] and not line.endswith(b"\n"):
                break  # still being written
            chain.line(f"{path.name}:{number}", line)
    chain.end(folder)
    chain.report.files = len(files)
    return chain.report


@dataclass(frozen=True)
class _Claim:
    """A head that the log must contain, and who says so."""

    head: Head
    source: str


class _Chain:
    """Checks line after line. After a fault it continues from the line found, so that each fault is reported once."""

    def __init__(self, claims: Sequence[_Claim], keys: Sequence[PublicKey]) -> None:
        self.report = AuditReport(signatures=Signatures(keys))
        self._claims = claims
        self._first: tuple[str, Entry] | None = None
        self._pruned: Head | None = None
        self._last_file = 0

    def file(self, path: Path) -> None:
        number = file_number(path)
        if self._last_file and number != self._last_file + 1:
            missing = file_name(self._last_file + 1)
            more = f" to {file_name(number - 1)} are" if number > self._last_file + 2 else " is"
            self._fault(path.name, f"{missing}{more} missing before it")
        self._last_file = number

    def line(self, where: str, line: bytes) -> None:
        report = self.report
        report.records += 1
        try:
            entry = unseal(line)
        except DamagedLineError as error:
            self._fault(where, str(error))
            report.head = error.claimed or Head(report.head.sequence + 1, "")
            return
        if self._first is None:
            self._first = where, entry
            report.first_sequence = entry.head.sequence
        else:
            self._follows(where, entry)
        if entry.fields["source"] == AUDIT_PRUNED.source:
            self._own(where, entry)
        for problem in report.signatures.check(entry):
            self._fault(where, problem)
        for claim in self._claims:
            if entry.head.sequence == claim.head.sequence and entry.head != claim.head:
                self._fault(where, f"record {entry.head.sequence} is not the one that the {claim.source} holds")
        report.head = entry.head

    def _own(self, where: str, entry: Entry) -> None:
        try:
            self._read_own(where, entry)
        except (LookupError, TypeError):
            self._fault(where, f"record {entry.head.sequence} is none that the registrar writes")

    def _read_own(self, where: str, entry: Entry) -> None:
        payload, moment = entry.fields["payload"], entry.fields["registered_at"]
        match entry.fields["event_type"]:
            case AUDIT_PRUNED.ce_type:
                self._pruned = Head(payload["last_sequence"], payload["last_hash"])
            case AUDIT_BROKEN.ce_type:
                self._fault(where, f"{_broken(payload)} when the registrar began at {moment}")
            case AUDIT_ANCHOR_FAULT.ce_type if payload["sequence"] is None:
                self._fault(where, f"the anchors' stream held no anchor when the registrar began at {moment}")

    def end(self, folder: Path) -> None:
        if self._first:
            self._check_begin(*self._first)
        head = self.report.head
        where = file_name(self._last_file) if self._last_file else str(folder)
        for claim in self._claims:
            if claim.head.sequence > head.sequence:
                missing = _records(head.sequence + 1, claim.head.sequence)
                self._fault(where, f"{missing} missing at its end: the {claim.source} holds {claim.head.sequence}")
        for problem in self.report.signatures.missing():
            self._fault(where, problem)

    def _follows(self, where: str, entry: Entry) -> None:
        head, sequence = self.report.head, entry.head.sequence
        if sequence > head.sequence + 1:
            self._fault(where, f"{_records(head.sequence + 1, sequence - 1)} missing before it")
        elif sequence <= head.sequence:
            self._fault(where, f"record {sequence} stands behind record {head.sequence}: out of order")
        elif head.hash and entry.fields["previous_hash"] != head.hash:
            self._fault(where, f"record {sequence} does not continue record {head.sequence} as it stands before it")

    def _check_begin(self, where: str, first: Entry) -> None:
        """Check that the first record follows the start or the files removed as configured."""
        before = Head(first.head.sequence - 1, first.fields["previous_hash"])
        pruned = self._pruned
        if before == START or (pruned and (before.sequence < pruned.sequence or before == pruned)):
            return
        removed = _records(pruned.sequence + 1 if pruned else 1, before.sequence)
        what = f"{removed} missing before it" if before.sequence else "continues nothing"
        self.report.faults.insert(0, LogFault(where, what))

    def _fault(self, where: str, what: str) -> None:
        self.report.faults.append(LogFault(where, what))


def _records(first: int, last: int) -> str:
    return f"record {first} is" if first == last else f"records {first} to {last} are"


def _broken(payload: Mapping[str, Any]) -> str:
    found, expected = int(payload["found_sequence"]), int(payload["expected_sequence"])
    if found < expected:
        return f"the log ended at {found}, not at {expected}"
    return f"the log had another record {found}" if found == expected else f"record {found} did not follow {expected}"
