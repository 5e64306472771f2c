"""Acknowledgements: from the bytes of a command to its answer."""

import contextlib
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pydantic import ValidationError
from pydantic_core import from_json

from qiki.contracts.fields import first_fault
from qiki.contracts.models import AckPayload, CommandMessage, ControlAck, ErrorDetail
from qiki.runtime.clock import now
from qiki.runtime.reading import read_payload

APPLIED = "applied"
REJECTED = "rejected"
ECHOED = 200
"""Longest text of a command that an answer repeats."""


@dataclass(frozen=True)
class Request:
    """Name, id and sender of a command; of a malformed one, those that can be read."""

    command_name: str | None
    message_id: str | None
    sender: str = "unknown"


def read_message(body: bytes) -> CommandMessage:
    """Read a command message.

    Raises:
        ValueError: it is no command; one line.
    """
    try:
        message = read_payload(CommandMessage, body)
    except ValidationError as error:
        raise ValueError(f"not a command: {first_fault(error)}") from None
    return message


def salvage(body: bytes) -> Request:
    """Read name, id and sender of a message, even of one that is no command."""
    fields: Any = None
    with contextlib.suppress(ValueError):
        fields = from_json(body)
    fields = fields if isinstance(fields, dict) else {}
    metadata = fields.get("metadata")
    name = fields.get("command_name")
    identity = metadata.get("message_id") if isinstance(metadata, dict) else None
    sender = metadata.get("source") if isinstance(metadata, dict) else None
    return Request(_text(name), _uuid(identity), _text(sender) or "unknown")


def applied(request: Request) -> ControlAck:
    """Acknowledge a command that was executed, or will be at the next tick."""
    return _acknowledge(request, APPLIED, None)


def refused(request: Request, reason: str) -> ControlAck:
    """Acknowledge a command that was refused."""
    details = {"command_name": request.command_name}
    return _acknowledge(request, REJECTED, ErrorDetail(code=REJECTED, message=short(reason), details=details))


def short(text: str) -> str:
    """Shorten a text of a command: an answer must not exceed the broker's limit."""
    return text if len(text) <= ECHOED else f"{text[:ECHOED]}…"


def _acknowledge(request: Request, status: str, error: ErrorDetail | None) -> ControlAck:
    return ControlAck(
        kind=request.command_name,
        timestamp=now(),
        requestId=request.message_id,
        request_id=request.message_id,
        success=error is None,
        ok=error is None,
        payload=AckPayload(command_name=request.command_name, status=status),
        error=error and error.code,
        error_detail=error,
    )


def _text(value: object) -> str | None:
    return short(value) if isinstance(value, str) else None


def _uuid(value: object) -> str | None:
    try:
        UUID(value if isinstance(value, str) else "")
    except ValueError:
        return None
    return str(value)  # unchanged: the sender compares text
