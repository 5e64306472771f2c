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
from qiki.contracts.control import AckPayload, CommandMessage, ControlAck, ErrorDetail
from qiki.contracts.events import COMMAND_REFUSED, Refusal
from qiki.contracts.fields import first_fault
from qiki.errors import UserError
from qiki.runtime.clock import now
from qiki.runtime.events import Events
from qiki.runtime.nats import Link
from qiki.runtime.reading import read_payload
from qiki.world.commands import COMMANDS, STEP, Command, Pause, Reset, Start, Step, Stop, VehicleCommand, read_command
from qiki.world.errors import OrderError
from qiki.world.simulator import Simulator

LONGEST_ECHO = 200  # longest text of a command that an answer repeats: an answer must not exceed the broker's limit
log = structlog.get_logger()


@dataclass(frozen=True)
class Request:
    """Name, id and sender of a command; of a malformed one, those that can be read."""

    command_name: str | None
    message_id: str | None
    sender: str = "unknown"


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
        reason = None
        try:
            await self._execute(read_message(body))
        except (OrderError, UserError, ValueError) as error:
            reason = _short(str(error))
            refusal = Refusal(
                command=request.command_name,
                sender=request.sender,
                request_id=request.message_id,
                reason=reason,
                ts_epoch=now().timestamp(),
            )
            self._events.emit(COMMAND_REFUSED, refusal)
        except Exception:
            log.exception("a command failed", command=request.command_name)
            reason = "internal error"
        acknowledgement = acknowledge(request, reason)
        status = acknowledgement.payload.status
        COUNTED.labels(request.command_name if request.command_name in COMMANDS else "unknown", status).inc()
        step_done = request.command_name == STEP and reason is None  # there are many a second
        write = log.debug if step_done else log.info
        write("command", command=request.command_name, status=status, reason=reason)
        return acknowledgement

    async def _execute(self, message: CommandMessage) -> None:
        command = read_command(message.command_name, message.parameters)
        ignored = sorted(message.parameters.keys() - type(command).model_fields.keys())
        if ignored:
            log.debug("unknown parameters ignored", command=message.command_name, parameters=ignored)
        match command:
            case Step(ticks=ticks):
                await self._ticker.step(ticks)
            case VehicleCommand():
                self._ticker.world.submit(command.order())
            case _:
                _direct(self._ticker.simulator, command)
                self._ticker.follow()


def _direct(simulator: Simulator, command: Command) -> None:
    match command:
        case Start(speed=speed):
            simulator.start(speed)
        case Pause():
            simulator.pause()
        case Stop():
            simulator.stop()
        case Reset(scenario=scenario, seed=seed, speed=speed):
            simulator.reset(scenario, seed, speed)


def read_message(body: bytes) -> CommandMessage:
    """Read a command message; ValueError, in one line, if it is none."""
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


def acknowledge(request: Request, reason: str | None = None) -> ControlAck:
    """Acknowledge a command that was executed or will be at the next tick, or with a reason one that was refused."""
    details = {"command_name": request.command_name}
    error = None if reason is None else ErrorDetail(code="rejected", message=reason, details=details)
    return ControlAck(
        kind=request.command_name,
        timestamp=now(),
        requestId=request.message_id,
        request_id=request.message_id,
        success=error is None,
        ok=error is None,
        payload=AckPayload(command_name=request.command_name, status="rejected" if error else "applied"),
        error=error and error.code,
        error_detail=error,
    )


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_ECHO else f"{text[:LONGEST_ECHO]}…"


def _text(value: object) -> str | None:
    return _short(value) if isinstance(value, str) else None


def _uuid(value: object) -> str | None:
    try:
        UUID(value if isinstance(value, str) else "")
    except ValueError:
        return None
    return str(value)  # unchanged: the sender compares text
