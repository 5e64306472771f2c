"""Signatures of a log, checked record by record: which key signed how far, and what no signature covers."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from qiki.audit.heads import MAX_TAIL, announces, is_signature, read_signature
from qiki.audit.record import Entry
from qiki.audit.signing import PublicKey, signer_of


@dataclass
class SignedSpan:
    """One key's signatures, from its first head to its last one."""

    key: PublicKey
    first: int  # sequence of the record with the first of them
    last: int  # sequence of the last head that is signed
    trusted: bool


@dataclass
class Signatures:
    """The signatures of a log.

    Attributes:
        keys: those that are trusted; none: those are believed that the log names itself
        before: records that were there when the first head was signed
        after: records after the newest signed head, which are only chained
        adopted: records that were signed only at the registrar's next start
    """

    keys: Sequence[PublicKey] = ()
    spans: list[SignedSpan] = field(default_factory=list)
    before: int = 0
    after: int = 0
    adopted: int = 0

    def check(self, entry: Entry) -> Iterator[str]:
        """Take the next record, and yield what is wrong with its signature, if it should have one."""
        if not is_signature(entry):
            self.after += 1
            return
        sequence, anchor = entry.head.sequence, read_signature(entry)
        if anchor is None or (key := signer_of(anchor)) is None:
            yield f"record {sequence} has a false signature of what is before it"
            return
        span = self.spans[-1] if self.spans else None
        trusted = not self.keys or key in self.keys
        if span is None or span.key != key:
            if not trusted:
                yield f"from record {sequence} on it is signed with another key, {key.fingerprint}"
            if span is not None and not announces(entry):
                yield f"record {sequence} is signed with another key than those before it, without a word of it"
            span = SignedSpan(key, sequence, anchor.sequence, trusted)
            self.spans.append(span)
        span.last = anchor.sequence
        if len(self.spans) == 1 and span.first == sequence:
            self.before = self.after
        self.adopted += _count(entry.fields["payload"].get("adopted"))
        self.after = 0 if trusted else self.after + 1

    def missing(self) -> Iterator[str]:
        """Yield what is not signed and should be."""
        if self.keys and not any(span.trusted for span in self.spans):
            yield f"no record is signed with key {' or '.join(key.fingerprint for key in self.keys)}"
        elif self.spans and self.after > MAX_TAIL:
            yield f"{self.after} records stand behind the last signed head: more than the registrar leaves unsigned"


def _count(value: object) -> int:
    return value if type(value) is int and value > 0 else 0
