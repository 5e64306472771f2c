"""Commands to the simulator and their acknowledgements."""

from typing import Any
from uuid import UUID

from pydantic import Field

from qiki.contracts.fields import Payload, Timestamp


class CommandMetadata(Payload):
    """The sender, and the id of the answer."""

    message_id: UUID | None = None
    correlation_id: UUID | None = None
    timestamp: Timestamp | None = None
    message_type: str = ""
    source: str = "unknown"
    destination: str = "unknown"


class CommandMessage(Payload):
    """One command on `qiki.commands.control`."""

    command_name: str = Field(min_length=1)
    parameters: dict[str, Any] = Field(default_factory=dict)
    metadata: CommandMetadata


class ErrorDetail(Payload):
    """Why a command was refused."""

    code: str
    message: str
    details: dict[str, Any] = Field(default_factory=dict)


class AckPayload(Payload):
    """The result of the command."""

    command_name: str | None
    status: str


class ControlAck(Payload):
    """Acknowledgement of a command; two of its values have second names for older readers."""

    version: int = 1
    kind: str | None
    timestamp: Timestamp
    requestId: str | None = None  # noqa: N815
    request_id: str | None = None
    success: bool
    ok: bool
    payload: AckPayload
    error: str | None = None
    error_detail: ErrorDetail | None = None
