"""Lockstep: the agent steps the simulator, and decides while its time is held.

So a decision does not depend on how fast a service computes: the same run gives the same decisions.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import NamedTuple
from uuid import uuid4

import nats.errors
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg

from q_core_agent.inputs import Inputs, request_telemetry
from q_core_agent.metrics import STEPS, STEPS_LOST
from qiki.agent.perception.observer import Observer
from qiki.contracts import topics
from qiki.contracts.control import CommandMessage, CommandMetadata, ControlAck
from qiki.contracts.headers import FRAME, RUN, TICK
from qiki.contracts.numbers import MAX_FRAME, whole_number
from qiki.contracts.telemetry import SimState
from qiki.contracts.ticks import TICK_S
from qiki.runtime.clock import now
from qiki.runtime.health import Health
from qiki.runtime.reading import read_payload
from qiki.runtime.tasks import TaskGroup, end_if_cancelled

CONDITION = "lockstep"
PATIENCE_S = 3.0
"""Time that a step may take beyond its simulated time."""
HELD = f"the simulation runs, or sends nothing on {topics.TELEMETRY.subject}: it has to be paused"
TICKING = "the agent's tick is not done: an engine is not back, or the simulator does not answer"
UNKNOWN = SimState(running=True, paused=False, speed=0.0, tick=0, run_id="", behind_s=0.0)
log = structlog.get_logger()


class Place(NamedTuple):
    """Position of the simulation: its run, the ticks done, the newest frame's number if there is one."""

    run: str
    tick: int
    frame: int | None


class RefusedError(Exception):
    """The simulator refused a command; the text says why."""


class Conductor:
    """Steps the simulator by `ticks`, waits for the results, lets the agent tick, and so on.

    The observer knows which frames are complete; health is unready while a step takes too long.
    """

    def __init__(self, client: Client, ticks: int, inputs: Inputs, observer: Observer, health: Health) -> None:
        self._client, self._ticks = client, ticks
        self._inputs, self._observer, self._health = inputs, observer, health
        self._steps = 0
        self._awaits = ""
        self._patience_s = PATIENCE_S + ticks * TICK_S
        health.wait_for(CONDITION, "no step is done yet")

    async def run(self, tick: Callable[[], Awaitable[None]]) -> None:
        """Step for ever; `tick` is the agent's part."""
        async with TaskGroup() as group:
            group.create_task(self._watch())
            while True:
                self._wait_for(HELD)
                await self._inputs.until(self._held)
                before = self._known
                place = await self._step(before)
                if place is not None and await self._arrived(place, before):
                    self._wait_for(TICKING)
                    await tick()
                    self._count()

    @property
    def _known(self) -> SimState:
        """The newest known state of the simulation, from telemetry."""
        return self._inputs.telemetry.sim_state if self._inputs.telemetry else UNKNOWN

    def _held(self) -> bool:
        return self._client.is_connected and not self._known.running

    async def _step(self, before: SimState) -> Place | None:
        """Request a step; return its place, or None when it was not done."""
        self._wait_for("the simulator does not acknowledge a step")
        step = message("sim.step", {"ticks": self._ticks})
        try:
            place = await self._ask(step)
            while place is None:  # it may have been done all the same: a further step would skip a tick of the agent
                STEPS_LOST.inc()
                await self._fresh_telemetry()
                place = await self._ask(step)  # the same message: it is not done twice
        except RefusedError as error:
            log.warning("step refused", reason=str(error))
            self._wait_for(f"a step was refused: {error}")
            await self._fresh_telemetry()
            return None
        return place if done(place, before, self._ticks) else None

    async def _fresh_telemetry(self) -> None:
        """Get new telemetry that says that time is held."""
        known = self._inputs.telemetry
        await request_telemetry(self._client)
        await self._inputs.until(lambda: self._inputs.telemetry is not known and self._held())

    async def _ask(self, command: CommandMessage) -> Place | None:
        """Send a command; return the place after it, or None without an answer."""
        body = command.to_json()
        try:
            return read_place(await self._client.request(topics.COMMANDS.subject, body, timeout=self._patience_s))
        except (nats.errors.Error, LookupError, ValueError) as error:
            log.warning("no acknowledgement", command=command.command_name, reason=str(error) or type(error).__name__)
            return None
        finally:
            end_if_cancelled()

    async def _arrived(self, place: Place, before: SimState) -> bool:
        """Wait for a step's telemetry, and for its frame unless that is lost; return False when the run ends first."""
        self._wait_for(f"tick {place.tick} and frame {place.frame} of run {place.run} have not come")
        await self._inputs.until(lambda: self._there(place) or replaced(self._known, place, before))
        return self._there(place)

    def _there(self, place: Place) -> bool:
        run, tick, frame = place
        if self._known.run_id != run or self._known.tick < tick:
            return False
        return frame is None or self._observer.complete(run, frame) or self._inputs.is_lost(run, frame)

    def _wait_for(self, problem: str) -> None:
        """Note what the next step needs; show it where steps are not done in time."""
        self._awaits = problem
        if CONDITION in self._health.problems:
            self._health.wait_for(CONDITION, problem)

    def _count(self) -> None:
        """Count a step, and be ready."""
        self._steps += 1
        STEPS.inc()
        if CONDITION in self._health.problems:
            self._health.met(CONDITION)

    async def _watch(self) -> None:
        """Be unready while a step takes too long."""
        while True:
            steps = self._steps
            await asyncio.sleep(self._patience_s)
            if self._steps == steps:
                self._health.wait_for(CONDITION, self._awaits)


def message(command: str, parameters: dict[str, int]) -> CommandMessage:
    """Return a command from the agent."""
    metadata = CommandMetadata(
        message_id=uuid4(), timestamp=now(), message_type="command", source="q-core-agent", destination="q-sim-service"
    )
    return CommandMessage(command_name=command, parameters=parameters, metadata=metadata)


def read_place(answer: Msg) -> Place:
    """Return the position that an acknowledgement reports.

    Raises:
        RefusedError: it is a refusal.
        ValueError: it is not an acknowledgement.
        LookupError: it has no position.
    """
    acknowledgement = read_payload(ControlAck, answer.data)
    if not acknowledgement.ok:
        raise RefusedError(acknowledgement.error_detail.message if acknowledgement.error_detail else "no reason given")
    headers = answer.headers or {}
    frame = headers.get(FRAME)
    tick = whole_number(headers[TICK], TICK, MAX_FRAME)
    return Place(headers[RUN], tick, None if frame is None else whole_number(frame, FRAME, MAX_FRAME))


def done(place: Place, before: SimState, ticks: int) -> bool:
    """Return whether the simulation is a step beyond its last known position, or in another run."""
    return place.run != before.run_id or place.tick >= before.tick + ticks


def replaced(known: SimState, place: Place, before: SimState) -> bool:
    """Return whether another run has replaced that of a step.

    `known` is from the newest telemetry; it may still be `before`, as known when the step was requested.
    """
    if known.run_id == place.run:
        return place.run == before.run_id and known.tick < before.tick  # restarted under the same run id
    return known.run_id != before.run_id
