"""The audit log on the wire: a record, which is a line of it too, and its signed head."""

from typing import Annotated, Any, Literal, get_args

from pydantic import Field

from qiki.contracts.fields import Payload, Timestamp

AUDIT_SOURCE = "urn:qiki:registrar:audit"
AUDIT_TYPE = "qiki.events.v1.AuditRecord"
ANCHOR_TYPE = "qiki.anchor.v1.AuditAnchor"
MAX_SEQUENCE = 1 << 53

Severity = Literal["INFO", "WARNING", "ERROR", "CRITICAL"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)
Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
KeyText = Annotated[str, Field(pattern="^ed25519:[A-Za-z0-9+/]{43}=$")]
Signature = Annotated[str, Field(pattern="^[A-Za-z0-9+/]{86}==$")]


class AuditRecord(Payload):
    """A registered event and its link in the chain.

    `hash` is the SHA-256 of the line without its last member, `hash` itself; it covers `previous_hash`, which is 64
    zeros in the first record. `timestamp` is the event's own time, `registered_at` wall time.
    """

    event_id: str
    code: Annotated[int, Field(ge=100, le=999)] | None
    event_type: str
    source: str
    timestamp: Timestamp
    payload: Any
    severity: Severity
    sequence: int = Field(ge=1)
    registered_at: Timestamp
    previous_hash: Digest
    hash: Digest


class AuditAnchor(Payload):
    """A head of the audit log, signed: the record with this sequence has this hash, and so has all that is before it.

    Sequence 0 is the beginning, with 64 zeros. `signature` is Ed25519 by the private half of `key` over five lines of
    text: `qiki audit head 1`, sequence, hash, `signed_at`, `key`; each ends with a line feed.
    """

    schema_version: int = 1
    sequence: int = Field(ge=0, le=MAX_SEQUENCE)
    hash: Digest
    signed_at: Timestamp
    key: KeyText
    signature: Signature
