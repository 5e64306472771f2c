"""Commands from NATS: executed one after the other, and each message gets exactly one acknowledgement.

A command that is sent again under the same id is not executed again: it gets the same acknowledgement. A pause, stop or
reset ends the steps before it.
"""

import asyncio
from collections import deque
from uuid import UUID

import structlog
from nats.aio.msg import Msg

from q_sim_service.answers import REJECTED, Answer, Answers, acknowledge
from q_sim_service.kept_run import KeptAnswer
from q_sim_service.metrics import COMMANDS as COUNTED
from q_sim_service.nats_publisher import MAX_PENDING_BYTES, post, post_telemetry
from q_sim_service.requests import Received, Request, receive, shortened
from q_sim_service.ticker import Ticker
from qiki.contracts import topics
from qiki.contracts.control import ControlAck
from qiki.contracts.events import COMMAND_REFUSED, Refusal
from qiki.contracts.sim import Origin
from qiki.errors import UserError
from qiki.runtime.clock import now
from qiki.runtime.events import Events
from qiki.runtime.nats import Link
from qiki.world.commands import COMMANDS, STEP, Command, Pause, Reset, Start, Step, Stop, VehicleCommand
from qiki.world.errors import OrderError
from qiki.world.world import Giver

MAX_WAITING = 256  # commands behind a step
log = structlog.get_logger()


class EndedError(Exception):
    """A step that was ended before it was done."""

    def __init__(self, ticks: int, done: int) -> None:
        super().__init__(f"ended by another command after {done} of {ticks} ticks")
        self.progress = {"ticks": ticks, "ticks_done": done}


class Control:
    """The queue of commands and their executor."""

    def __init__(self, ticker: Ticker, events: Events, answers: Answers | None = None) -> None:
        self._ticker = ticker
        self._events = events
        self._answers = answers or Answers()
        self._waiting: deque[tuple[Received, bool]] = deque()  # with whether it ends a step
        self._fresh = asyncio.Event()
        self._halts = 0  # such commands in the queue
        self._cut = False  # a step was ended, and what ended it was not executed yet

    async def listen(self, link: Link) -> None:
        """Subscribe to commands on this connection, for `run`."""

        async def received(message: Msg) -> None:
            command = receive(message.data, message.reply)
            halts = command.halts and self._answers.find(command) is None
            if len(self._waiting) >= MAX_WAITING and not halts:
                await self._send(link, command, self._refuse(command, f"{MAX_WAITING} commands wait already"))
                return
            self._halts += halts
            self._waiting.append((command, halts))
            self._fresh.set()

        subject = topics.COMMANDS.subject
        await link.client.subscribe(subject, cb=received, pending_bytes_limit=MAX_PENDING_BYTES)

    async def run(self, link: Link) -> None:
        """Execute commands as they come, without end."""
        while True:
            await self._fresh.wait()
            self._fresh.clear()
            while self._waiting:
                received, halts = self._waiting.popleft()
                self._halts -= halts
                await self._send(link, received, await self._answer(received, link))

    async def _send(self, link: Link, received: Received, answer: Answer) -> None:
        for subject in dict.fromkeys((topics.RESPONSES.subject, received.reply)):
            if subject:
                await post(link, subject, answer.body, "acknowledgement", dict(answer.headers))

    async def _answer(self, received: Received, link: Link) -> Answer:
        """Execute a command, and return its answer; that of an earlier one if it is the same again."""
        known = self._answers.find(received)
        if known is not None and known.digest == received.digest:
            log.info("command sent again, not executed again", command=received.request.command_name)
            return known
        if known is not None:
            return self._refuse(received, "its message_id was used for another command")
        acknowledgement = await self._acknowledgement(received)
        answer = Answer(received.digest, acknowledgement.to_json(), self._ticker.place)
        if (kept := self._answers.keep(received, answer)) is not None:
            self._ticker.keep(kept)
        if acknowledgement.kind == STEP and acknowledgement.payload.status != REJECTED:
            await post_telemetry(link, self._ticker)
        return answer

    def _refuse(self, received: Received, reason: str) -> Answer:
        acknowledgement = self._refusal(received, reason)
        self._note(acknowledgement, reason)
        return Answer(received.digest, acknowledgement.to_json(), self._ticker.place)

    async def _acknowledgement(self, received: Received) -> ControlAck:
        reason = None
        try:
            if isinstance(received.command, str):
                raise OrderError(received.command)  # noqa: TRY301
            await self._execute(received.command, received.request)
            acknowledgement = acknowledge(received.request)
        except EndedError as error:
            reason = str(error)
            acknowledgement = acknowledge(received.request, reason, error.progress)
        except (OrderError, UserError, ValueError) as error:
            reason = shortened(str(error))
            acknowledgement = self._refusal(received, reason)
        except Exception:
            log.exception("a command failed", command=received.request.command_name)
            reason = "internal error"
            acknowledgement = acknowledge(received.request, reason)
        self._note(acknowledgement, reason)
        return acknowledgement

    def _refusal(self, received: Received, reason: str) -> ControlAck:
        request = received.request
        refusal = Refusal(
            command=request.command_name,
            sender=request.sender,
            request_id=request.message_id,
            reason=reason,
            ts_epoch=now().timestamp(),
        )
        self._events.emit(COMMAND_REFUSED, refusal)
        return acknowledge(request, reason)

    def _note(self, acknowledgement: ControlAck, reason: str | None) -> None:
        name, status = acknowledgement.kind, acknowledgement.payload.status
        COUNTED.labels(name if name in COMMANDS else "unknown", status).inc()
        write = log.debug if name == STEP and reason is None else log.info  # there are many steps a second
        write("command", command=name, status=status, reason=reason)

    async def _execute(self, command: Command, request: Request) -> None:
        match command:
            case Step(ticks=ticks):
                await self._step(request.message_id, ticks)
            case VehicleCommand() if self._answers.has_obeyed(request.message_id):
                log.info("command sent again, not executed again", command=request.command_name)
            case VehicleCommand():
                giver = Giver(Origin.CONTROL, request.sender, request.message_id)
                self._ticker.submit(command.order(), giver)
            case _:
                cut, self._cut = self._cut, False
                if not (cut and isinstance(command, Pause)):  # it has held the time that passed by steps
                    self._direct(command)
                self._ticker.follow()

    async def _step(self, message_id: str | None, ticks: int) -> None:
        goal = self._answers.goal(message_id)
        if goal is not None:  # a process before this one was killed in the middle of it
            ticks = max(goal - self._ticker.world.tick_count, 0)
        elif message_id is not None:
            self._ticker.keep(KeptAnswer(message_id=UUID(message_id), goal=self._ticker.world.tick_count + ticks))
        done = await self._ticker.step(ticks, ended=lambda: self._halts > 0)
        if done < ticks:
            self._cut = True
            raise EndedError(ticks, done)

    def _direct(self, command: Command) -> None:
        simulator = self._ticker.simulator
        match command:
            case Start(speed=speed):
                simulator.start(speed)
            case Pause():
                simulator.pause()
            case Stop():
                simulator.stop()
            case Reset(scenario=scenario, seed=seed, speed=speed):
                simulator.reset(scenario, seed, speed)
