"""Standing of a log at the registrar's start: the head that the next record continues, and what contradicts it.

A head is trusted if the registrar's key signed it: the newest anchor, or the newest signature in the files, whichever
is further. The end of the files is continued if it descends from that head without a gap, and not by more records than
the registrar leaves unsigned. Else the trusted head itself is continued: nothing is signed that somebody else wrote.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from qiki.audit.files import audit_files, lines_backward
from qiki.audit.heads import MAX_TAIL, announces, is_signature, read_signature
from qiki.audit.record import START, DamagedLineError, Entry, Head, unseal
from qiki.audit.signing import PublicKey, head_of, signer_of
from qiki.contracts.audit import AuditAnchor


@dataclass(frozen=True, slots=True)
class Break:
    """Two records that should follow each other and do not: the files' `found`, in place of `expected`."""

    found: Head
    expected: Head


@dataclass(frozen=True, slots=True)
class Standing:
    """The end of a log.

    Attributes:
        head: the next record continues it
        broken: the files' end does not descend from the trusted head
        adopted: unsigned records after the trusted head that are continued
        signed: the key signed the log before
        previous_key: the newest signature in the files is this other key's, and none is ours
        just_begun: the key's first signature is the newest record: a crash may have come before its anchor
    """

    head: Head
    broken: Break | None = None
    adopted: int = 0
    signed: bool = False
    previous_key: PublicKey | None = None
    just_begun: bool = False


@dataclass
class _End:
    """The newest records, read backward as far as the trusted head."""

    head: Head = START
    intact: bool = True  # down to where it was read
    link: Head | None = None  # the record before the oldest one read, as that names it
    unsigned: int = 0
    own: Entry | None = None  # the newest signature of our key
    own_intact: bool = False  # from it to the end
    own_after: int = 0
    other: PublicKey | None = None  # of the newest signature, if it is another's
    at_anchor: Head | None = None  # the record with the anchor's sequence
    anchor_intact: bool = False
    anchor_after: int = 0


def standing(folder: Path, key: PublicKey | None, anchor: AuditAnchor | None) -> Standing:
    """Return how the log stands; `anchor` is the newest that `key` signed. Without a key the files are believed."""
    end = _read(folder, key, anchor)
    own = end.own.before if end.own else None
    if anchor and (own is None or anchor.sequence >= own.sequence) and own != head_of(anchor):
        return _by_anchor(end, head_of(anchor))
    if end.own:
        return _judged(end, end.own.head, intact=end.own_intact, after=end.own_after)
    return Standing(end.head, previous_key=end.other)


def _by_anchor(end: _End, anchor: Head) -> Standing:
    """Judge by an anchor that no record in the files confirms; that of the beginning has no record."""
    if anchor == START:
        return _judged(end, anchor, intact=end.intact and end.link in {START, None}, after=end.unsigned)
    return _judged(end, anchor, intact=end.anchor_intact and end.at_anchor == anchor, after=end.anchor_after)


def _judged(end: _End, trusted: Head, *, intact: bool, after: int) -> Standing:
    if intact and after <= MAX_TAIL and not end.other:
        begun = end.own is not None and announces(end.own) and end.own.head == end.head
        return Standing(end.head, adopted=after, signed=True, just_begun=begun)
    return Standing(trusted, broken=Break(end.head, trusted), signed=True)


def _read(folder: Path, key: PublicKey | None, anchor: AuditAnchor | None) -> _End:
    end = _End()
    for entry in _backward(folder):
        if entry is None:
            end.intact = False
            continue
        if end.link is None:
            end.head = entry.head
        elif entry.head != end.link:
            end.intact = False
        _note(end, entry, key, anchor)
        end.link = entry.before
        far = end.own is not None or end.unsigned > 2 * MAX_TAIL
        if far and (anchor is None or entry.head.sequence <= anchor.sequence):
            break
    return end


def _note(end: _End, entry: Entry, key: PublicKey | None, anchor: AuditAnchor | None) -> None:
    """Note what a record says about the end: a signature of ours or another's, the anchor's place."""
    if anchor and end.at_anchor is None and entry.head.sequence == anchor.sequence:
        end.at_anchor, end.anchor_intact, end.anchor_after = entry.head, end.intact, end.unsigned
    if not is_signature(entry):
        end.unsigned += 1
    elif end.own is None and (signed := read_signature(entry)) and (signer := signer_of(signed)):
        if signer == key:
            end.own, end.own_intact, end.own_after = entry, end.intact, end.unsigned
        elif end.other is None:
            end.other = signer


def _backward(folder: Path) -> Iterator[Entry | None]:
    """Yield the records, newest first; None for a damaged line."""
    for path in reversed(audit_files(folder)):
        for line in lines_backward(path):
            try:
                yield unseal(line)
            except DamagedLineError:
                yield None
