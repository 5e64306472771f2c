"""Signed heads within the log: a record that holds the signed head before it, so that files prove themselves."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from pydantic import ValidationError

from qiki.audit.record import Draft, Entry, Head, own_draft
from qiki.audit.signing import SigningKey, head_of
from qiki.contracts.audit import AuditAnchor
from qiki.contracts.events import AUDIT_KEY_CHANGED, AUDIT_SIGNED, AUDIT_SIGNING_BEGUN, EventKind

SIGN_EVERY = timedelta(seconds=1)
MAX_UNSIGNED = 1024
"""Records after the newest signed head, at most; a batch may exceed it by its own size."""
MAX_TAIL = 2 * MAX_UNSIGNED
"""Records after the newest signed head that are believed: more than the registrar leaves, a batch included."""
_ANNOUNCED = {AUDIT_KEY_CHANGED.ce_type, AUDIT_SIGNING_BEGUN.ce_type}
_TYPES = {AUDIT_SIGNED.ce_type, *_ANNOUNCED}


def is_signature(entry: Entry) -> bool:
    """Return whether a record holds a signed head."""
    return entry.fields["source"] == AUDIT_SIGNED.source and entry.fields["event_type"] in _TYPES


def announces(entry: Entry) -> bool:
    """Return whether a record of a signed head says that a key signs for the first time."""
    return entry.fields["event_type"] in _ANNOUNCED


def read_signature(entry: Entry) -> AuditAnchor | None:
    """Return the signed head of such a record; None if it cannot be read or is not the head before the record.

    The signature itself is not checked.
    """
    payload = entry.fields["payload"]
    try:
        anchor = AuditAnchor.model_validate(payload.get("head"))
    except (AttributeError, ValidationError):
        return None
    return anchor if head_of(anchor) == entry.before else None


class HeadSigner:
    """Signs the head once a second or every 1,024 records, whichever comes first; an idle log is signed once.

    Records that hold signatures count for nothing, else each would bring the next.
    """

    def __init__(self, key: SigningKey) -> None:
        self.key = key
        self.unsigned = 0
        self._since: datetime | None = None

    def due(self, moment: datetime, more: int = 0) -> bool:
        """Return whether the head is to be signed at `moment`, after so many records more."""
        late = self._since is not None and abs(moment - self._since) >= SIGN_EVERY  # a clock may be set back
        return late or self.unsigned + more >= MAX_UNSIGNED

    def draft(self, head: Head, moment: datetime, kind: EventKind = AUDIT_SIGNED, **fields: Any) -> Draft:
        """Return the record of a signed head; `fields` are the payload's own."""
        anchor = self.key.sign(head, moment)
        payload: Any = kind.model(head=anchor, ts_epoch=moment.timestamp(), **fields)
        return own_draft(kind, f"audit-signed:{head.sequence}:{head.hash}", payload, moment)

    def wrote(self, entries: Sequence[Entry], moment: datetime) -> None:
        """Count records that were written; those before a signature among them are signed."""
        for entry in entries:
            if is_signature(entry):
                self.unsigned, self._since = 0, None
            else:
                self.unsigned += 1
                self._since = self._since or moment
