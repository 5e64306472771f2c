"""Commands from NATS: each message gets exactly one acknowledgement."""

import structlog
from nats.aio.msg import Msg

from q_sim_service.acknowledgements import Request, applied, read_message, refused, salvage, short
from q_sim_service.engine import Engine
from q_sim_service.metrics import COMMANDS as COUNTED
from q_sim_service.nats_publisher import post, post_telemetry
from qiki.contracts import topics
from qiki.contracts.events import COMMAND_REFUSED, Refusal
from qiki.contracts.models import CommandMessage, ControlAck
from qiki.errors import UserError
from qiki.runtime.clock import now
from qiki.runtime.events import Events
from qiki.runtime.nats import Link
from qiki.world.commands import (
    COMMANDS,
    STEP,
    Command,
    Pause,
    Reset,
    Start,
    Step,
    Stop,
    VehicleCommand,
    read_command,
)
from qiki.world.errors import OrderError

log = structlog.get_logger()


class Control:
    """Executes commands one after the other."""

    def __init__(self, engine: Engine, events: Events) -> None:
        self._engine = engine
        self._events = events

    async def serve(self, link: Link) -> None:
        """Subscribe to commands on this connection."""

        async def received(message: Msg) -> None:
            acknowledgement = await self.answer(message.data)
            headers = self._engine.place
            if acknowledgement.kind == STEP and acknowledgement.ok:
                await post_telemetry(link, self._engine)
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
                self._engine.start(speed)
            case Pause():
                self._engine.pause()
            case Stop():
                self._engine.stop()
            case Reset(scenario=scenario, seed=seed, speed=speed):
                self._engine.reset(scenario, seed, speed)
            case Step(ticks=ticks):
                await self._engine.step(ticks)
            case VehicleCommand():
                self._engine.submit(command.order())


def _command(message: CommandMessage) -> Command:
    command = read_command(message.command_name, message.parameters)
    ignored = sorted(message.parameters.keys() - type(command).model_fields.keys())
    if ignored:
        log.debug("unknown parameters ignored", command=message.command_name, parameters=ignored)
    return command


def _reason(acknowledgement: ControlAck) -> str | None:
    return None if acknowledgement.error_detail is None else acknowledgement.error_detail.message
