"""Making and reading a line of the audit log: sealing a record with its hash, unsealing and checking it.

A line's members stand in the contract's order without blanks; `hash` is the last one and the SHA-256 of the line
without it. That includes `previous_hash`, so every hash depends on all lines before.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from pydantic_core import from_json, to_json

from qiki.clock import parse_rfc3339, rfc3339
from qiki.contracts.audit import MAX_SEQUENCE, SEVERITIES, Severity
from qiki.contracts.events import EventKind, EventPayload

GENESIS = "0" * 64
_SEAL = re.compile(rb',"hash":"([0-9a-f]{64})"\}\n')
_SEAL_BYTES = len(b',"hash":""}\n') + 64
_TEXTS = ("event_id", "event_type", "source", "timestamp", "registered_at", "previous_hash")


@dataclass(frozen=True, slots=True)
class Draft:
    """An event to be registered; `timestamp` is its own time."""

    event_id: str
    code: int | None
    event_type: str
    source: str
    timestamp: datetime
    payload: Any
    severity: Severity


@dataclass(frozen=True, slots=True)
class Head:
    """The end of the chain."""

    sequence: int
    hash: str


START = Head(0, GENESIS)


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the chain."""

    line: bytes  # with the line feed
    fields: Mapping[str, Any]
    head: Head  # the end of the chain after it

    @property
    def before(self) -> Head:
        """The end of the chain before it, as the line names it."""
        return Head(self.head.sequence - 1, self.fields["previous_hash"])


class DamagedLineError(ValueError):
    """A line that differs from what was written; the text gives the reason."""

    def __init__(self, problem: str, claimed: Head | None = None) -> None:
        super().__init__(problem)
        self.claimed = claimed  # the end of the chain after it, if the line names one


def own_draft(kind: EventKind, event_id: str, payload: EventPayload, moment: datetime) -> Draft:
    """Return a draft of the registrar's own event."""
    values = payload.model_dump(mode="json")
    severity: Any = kind.severity
    return Draft(event_id, kind.code, kind.ce_type, kind.source, moment, values, severity)


def seal(draft: Draft, head: Head, moment: datetime) -> Entry:
    """Make the line of an event that follows `head`, at wall time `moment`."""
    fields = {
        "event_id": draft.event_id,
        "code": draft.code,
        "event_type": draft.event_type,
        "source": draft.source,
        "timestamp": rfc3339(draft.timestamp),
        "payload": draft.payload,
        "severity": draft.severity,
        "sequence": head.sequence + 1,
        "registered_at": rfc3339(moment),
        "previous_hash": head.hash,
    }
    body = to_json(fields)
    digest = sha256(body).hexdigest()
    line = b'%b,"hash":"%b"}\n' % (body[:-1], digest.encode())
    return Entry(line, fields | {"hash": digest}, Head(head.sequence + 1, digest))


def unseal(line: bytes) -> Entry:
    """Read a line and check it against its own hash; raise DamagedLineError if it is incomplete or was changed."""
    if not line.endswith(b"\n"):
        raise DamagedLineError("the line is torn off")
    sealed = _SEAL.fullmatch(line[-_SEAL_BYTES:])
    try:
        fields = from_json(line)
    except ValueError:
        fields = None
    if sealed is None or not _is_record(fields):
        raise DamagedLineError("this is no audit record")
    head = Head(fields["sequence"], sealed[1].decode())
    if sha256(line[:-_SEAL_BYTES] + b"}").hexdigest() != head.hash:
        raise DamagedLineError(f"record {head.sequence} was changed: its hash is not that of its content", head)
    return Entry(line, fields, head)


def _is_record(fields: Any) -> bool:
    """Return whether parsed JSON has the members of a record: who writes a line may also give it the right hash."""
    if not isinstance(fields, dict) or not all(isinstance(fields.get(name), str) for name in _TEXTS):
        return False
    sequence, code = fields.get("sequence"), fields.get("code", "")
    try:
        parse_rfc3339(fields["registered_at"])
    except ValueError:
        return False
    return (
        type(sequence) is int
        and 0 < sequence <= MAX_SEQUENCE
        and (code is None or type(code) is int)
        and fields.get("severity") in SEVERITIES
        and "payload" in fields
    )
