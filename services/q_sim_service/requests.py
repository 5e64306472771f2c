"""Control commands as they come from NATS: what can be read of any message."""

import contextlib
import hashlib
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog
from pydantic import ValidationError
from pydantic_core import from_json, to_json

from qiki.contracts.control import CommandMessage
from qiki.contracts.fields import first_fault
from qiki.errors import UserError
from qiki.runtime.reading import read_payload
from qiki.world.commands import Command, Pause, Reset, Stop, read_command
from qiki.world.errors import OrderError

MAX_COMMAND_BYTES = 64 * 1024
LONGEST_ECHO = 200  # longest text of a command that an answer repeats: an answer must not exceed the broker's limit
HALTS = (Pause, Reset, Stop)
log = structlog.get_logger()


@dataclass(frozen=True)
class Request:
    """Name, id and sender of a command; of a malformed one, those that can be read."""

    command_name: str | None
    message_id: str | None
    sender: str = "unknown"


@dataclass(frozen=True)
class Received:
    """A command, or the reason why a message is none; `digest` is the same for the same command and parameters."""

    request: Request
    command: Command | str
    digest: bytes
    reply: str

    @property
    def halts(self) -> bool:
        """True for a command that ends a step."""
        return isinstance(self.command, HALTS)


def receive(body: bytes, reply: str) -> Received:
    """Read a message as far as it can be."""
    request, digest = salvage(body), b""
    try:
        message = read_message(body)
        digest = hashlib.sha256(to_json([message.command_name, sorted(message.parameters.items())])).digest()
        command: Command | str = _command(message)
    except (OrderError, UserError, ValueError) as error:
        command = shortened(str(error))
    return Received(request, command, digest, reply)


def _command(message: CommandMessage) -> Command:
    command = read_command(message.command_name, message.parameters)
    ignored = sorted(message.parameters.keys() - type(command).model_fields.keys())
    if ignored:
        log.debug("unknown parameters ignored", command=message.command_name, parameters=ignored)
    return command


def read_message(body: bytes) -> CommandMessage:
    """Read a command message; ValueError, in one line, if it is none."""
    if len(body) > MAX_COMMAND_BYTES:
        raise ValueError(f"a command of {len(body)} bytes (expected at most {MAX_COMMAND_BYTES})")
    try:
        return read_payload(CommandMessage, body)
    except ValidationError as error:
        raise ValueError(f"not a command: {first_fault(error)}") from None


def salvage(body: bytes) -> Request:
    """Read name, id and sender of a message, even of one that is no command."""
    fields: Any = None
    with contextlib.suppress(ValueError):
        fields = from_json(body)
    fields = fields if isinstance(fields, dict) else {}
    metadata = fields.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    sender = _text(metadata.get("source")) or "unknown"
    return Request(_text(fields.get("command_name")), _uuid(metadata.get("message_id")), sender)


def shortened(text: str) -> str:
    """Return a text, or the begin of a long one."""
    return text if len(text) <= LONGEST_ECHO else f"{text[:LONGEST_ECHO]}…"


def _text(value: object) -> str | None:
    return shortened(value) if isinstance(value, str) else None


def _uuid(value: object) -> str | None:
    try:
        UUID(value if isinstance(value, str) else "")
    except ValueError:
        return None
    return str(value)  # unchanged: the sender compares text
