"""Commands from NATS: each message gets exactly one acknowledgement."""

import contextlib
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog
from nats.aio.msg import Msg
from pydantic import ValidationError
from pydantic_core import from_json

from q_sim_service.metrics import COMMANDS as COUNTED
from q_sim_service.nats_publisher import post, post_telemetry
from q_sim_service.ticker import Ticker
from qiki.contracts import topics
from qiki.contracts.events import COMMAND_REFUSED, Refusal
from qiki.contracts.fields import first_fault
from qiki.contracts.models import AckPayload, CommandMessage, ControlAck, ErrorDetail
from qiki.errors import UserError
from qiki.runtime.clock import now
from qiki.runtime.events import Events
from qiki.runtime.nats import Link
from qiki.runtime.reading import read_payload
from qiki.world.commands import COMMANDS, STEP, Command, Pause, Reset, Start, Step, Stop, VehicleCommand, read_command
from qiki.world.errors import OrderError

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


log = structlog.get_logger()


class Control:
    """Executes commands one after the other."""

    def __init__(self, ticker: Ticker, events: Events) -> None:
        self._ticker = ticker
        self._events = events

    async def serve(self, link: Link) -> None:
        """Subscribe to commands on this connection."""

        async def received(message: Msg) -> None:
            acknowledgement = await self.answer(message.data)
            headers = self._ticker.place
            if acknowledgement.kind == STEP and acknowledgement.ok:
                await post_telemetry(link, self._ticker)
            body = acknowledgement.to_json()
            for subject in dict.fromkeys((topics.RESPONSES.subject, message.reply)):
                if subject:
                    await post(link, subject, body, "acknowledgement", headers)

        await link.client.subscribe(topics.COMMANDS.subject, cb=received)

    async def answer(self, body: bytes) -> ControlAck:
        """Execute the command of a message, and return its acknowledgement."""
        request = salvage(body)
        try:
            message = read_message(body)
            await self._execute(_command(message))
        except (OrderError, UserError, ValueError) as error:
            acknowledgement = refused(request, str(error))
            self._emit_refusal(request, short(str(error)))
        except Exception:
            log.exception("a command failed", command=request.command_name)
            acknowledgement = refused(request, "internal error")
        else:
            acknowledgement = applied(request)
        status = acknowledgement.payload.status
        COUNTED.labels(request.command_name if request.command_name in COMMANDS else "unknown", status).inc()
        log.info("command", command=request.command_name, status=status, reason=_reason(acknowledgement))
        return acknowledgement

    def _emit_refusal(self, request: Request, reason: str) -> None:
        body = Refusal(
            command=request.command_name,
            sender=request.sender,
            request_id=request.message_id,
            reason=reason,
            ts_epoch=now().timestamp(),
        )
        self._events.emit(COMMAND_REFUSED, body)

    async def _execute(self, command: Command) -> None:
        match command:
            case Start(speed=speed):
                self._ticker.start(speed)
            case Pause():
                self._ticker.pause()
            case Stop():
                self._ticker.stop()
            case Reset(scenario=scenario, seed=seed, speed=speed):
                self._ticker.reset(scenario, seed, speed)
            case Step(ticks=ticks):
                await self._ticker.step(ticks)
            case VehicleCommand():
                self._ticker.submit(command.order())


def _command(message: CommandMessage) -> Command:
    command = read_command(message.command_name, message.parameters)
    ignored = sorted(message.parameters.keys() - type(command).model_fields.keys())
    if ignored:
        log.debug("unknown parameters ignored", command=message.command_name, parameters=ignored)
    return command


def _reason(acknowledgement: ControlAck) -> str | None:
    return None if acknowledgement.error_detail is None else acknowledgement.error_detail.message
