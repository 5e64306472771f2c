"""Verification of the audit log: no record was changed, removed, swapped or cut off."""

from dataclasses import dataclass, field
from pathlib import Path

from qiki.audit.files import audit_files, file_name, file_number, has_writer, read_lines
from qiki.audit.record import START, DamagedLineError, Entry, Head, unseal
from qiki.contracts.events import AUDIT_BROKEN, AUDIT_PRUNED


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
    faults: list[LogFault] = field(default_factory=list)


def verify(folder: Path, anchor: Head | None = None) -> AuditReport:
    """Check every line of every file.

    `anchor` is the newest record in the audit stream, read before this call; without it, a log that was cut off at its
    end or rewritten as a whole passes.
    """
    files = audit_files(folder)
    live = has_writer(folder)
    chain = _Chain(anchor)
    for path in files:
        chain.file(path)
        for number, line in enumerate(read_lines(path), 1):
            if live and path == files[-1] and not line.endswith(b"\n"):
                break  # still being written
            chain.line(f"{path.name}:{number}", line)
    chain.end(folder)
    chain.report.files = len(files)
    return chain.report


class _Chain:
    """Checks line after line. After a fault it continues from the line found, so that each fault is reported once."""

    def __init__(self, anchor: Head | None) -> None:
        self.report = AuditReport()
        self._anchor = anchor
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
        if self._anchor and entry.head.sequence == self._anchor.sequence and entry.head != self._anchor:
            self._fault(where, f"record {entry.head.sequence} is not the one that the audit stream holds")
        report.head = entry.head

    def _own(self, where: str, entry: Entry) -> None:
        payload = entry.fields["payload"]
        match entry.fields["event_type"]:
            case AUDIT_PRUNED.ce_type:
                self._pruned = Head(payload["last_sequence"], payload["last_hash"])
            case AUDIT_BROKEN.ce_type:
                found, expected = payload["found_sequence"], payload["expected_sequence"]
                end = f"ended at {found}, not at {expected}" if found != expected else f"had another record {found}"
                self._fault(where, f"the log {end} when the registrar began at {entry.fields['registered_at']}")

    def end(self, folder: Path) -> None:
        if self._first:
            self._check_begin(*self._first)
        head, anchor = self.report.head, self._anchor
        if anchor and anchor.sequence > head.sequence:
            missing = _records(head.sequence + 1, anchor.sequence)
            where = file_name(self._last_file) if self._last_file else str(folder)
            self._fault(where, f"{missing} missing at its end: the audit stream holds {anchor.sequence}")

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
