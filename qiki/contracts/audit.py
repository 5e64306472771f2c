"""The record that a line of the audit log is, and a message on the audit subject."""

from typing import Annotated, Any, Literal, get_args

from pydantic import Field

from qiki.contracts.fields import Payload, Timestamp

AUDIT_SOURCE = "urn:qiki:registrar:audit"
AUDIT_TYPE = "qiki.events.v1.AuditRecord"

Severity = Literal["INFO", "WARNING", "ERROR", "CRITICAL"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)
Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


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
