"""The agent of a run in one process: it sees what a stack would publish, and commands the vehicle."""

from collections.abc import Callable, Coroutine, Iterable, Mapping
from datetime import datetime
from functools import partial
from typing import Any, TypeVar
from uuid import uuid5

from qiki.agent.agent import Agent, AgentParameters
from qiki.agent.engine import Engine
from qiki.agent.perception.observer import Observer
from qiki.agent.vehicle import ActuatorReport, Answers, Outcome, Reading
from qiki.agent.world import World
from qiki.botspec import BotConfig
from qiki.botspec.planes import sensor_id
from qiki.clock import rfc3339
from qiki.contracts import identities
from qiki.contracts.actuators import ActuatorCommand
from qiki.contracts.agent import AgentState
from qiki.contracts.estimates import TrackEstimates
from qiki.contracts.events import ACTUATOR_FAILED, ACTUATOR_OK, EventKind
from qiki.contracts.fields import Payload
from qiki.contracts.radar import RadarTrack
from qiki.contracts.telemetry import SimState
from qiki.flight.engines import InlineEngines
from qiki.flight.frames import FlownFrame
from qiki.guard.messages import cleared_of, notice_of
from qiki.state import State, Stateful
from qiki.world.actuation import actuator_refusals, submit_command, takes_effect
from qiki.world.errors import NoSensorError
from qiki.world.sensors import choose, read
from qiki.world.snapshots import telemetry
from qiki.world.world import SimWorld

Raise = Callable[[str, EventKind, Payload, str, datetime], None]
SIMULATOR, AGENT = "q-sim-service", "q-core-agent"
STALE_MIN_S = 1.0
HELD = takes_effect("stopped")
"""The answer of a stack's simulator, in lockstep, to a command that it accepts."""
T = TypeVar("T")


class AgentDriver(Stateful):
    """Feeds the agent's observer and lets it decide, as a stack in lockstep does.

    `emit` takes service, kind, payload, id and time of each event that the agent, or the simulator for it, raises.
    """

    STATE = State(_agent=Agent, _engines=InlineEngines, _sequence=int, _commands=int, _telemetry_tick=int)

    def __init__(
        self, world: SimWorld, bot: BotConfig, parameters: AgentParameters, engines: Mapping[str, Engine], emit: Raise
    ) -> None:
        self._world, self._emit = world, emit
        self._observer = Observer(STALE_MIN_S, lockstep=True)
        sensors = [sensor.type for sensor in bot.hardware_profile.sensors]
        vehicle, self._engines = WorldVehicle(world, sensors, self._command_event), InlineEngines(engines)
        self._agent = Agent(bot, parameters, vehicle, self._engines, partial(emit, AGENT), self._observer)
        self._sequence = self._commands = 0
        self._telemetry_tick = -1
        self._see_telemetry()

    def see(self, frame: FlownFrame) -> None:
        """Take a frame as the bridge publishes it: tracks, estimates, alerts, and the notice."""
        tracked, now_s = frame.tracked, self._now_s
        run, number, observer = tracked.run, tracked.number, self._observer
        for row in tracked.reports.rows(rfc3339(tracked.reports.moment)):
            observer.take_track(RadarTrack.model_validate(row), run, number, self._next, now_s)
        estimates = frame.estimates
        for part in estimates:  # as they are read on a stack: with the digits of the wire
            observer.take_estimates(TrackEstimates.from_json(part.body), self._next, now_s)
        for alert in tracked.judgement.alerts:
            observer.take_alert(alert, run, number, self._next, now_s)
        for alert in tracked.judgement.resumed:
            observer.take_resumed(alert, run, number, self._next, now_s)
        for ended in tracked.judgement.ended:
            observer.take_cleared(cleared_of(ended, tracked), number, self._next, now_s)
        notice, alerts = notice_of(tracked), tracked.judgement.count
        observer.take_tracked(notice, alerts, len(estimates), self._next, now_s)

    def look(self) -> World:
        """Return the world that the next decision begins with."""
        self._see_telemetry()
        return self._agent.look(self._now_s)

    def decide(self) -> None:
        """Let the agent tick at the present time; its commands take effect at the next tick of the world."""
        self._see_telemetry()
        run_to_end(self._agent.tick(self._now_s))

    def state(self) -> AgentState:
        """Return the agent's state, as a stack publishes it once a second."""
        return self._agent.state(self._world.timestamp)

    @property
    def _now_s(self) -> float:
        """The agent's clock: simulated Unix time."""
        return self._world.timestamp.timestamp()

    @property
    def _next(self) -> int:
        """The place of the next message: they keep their order, as in a stream."""
        self._sequence += 1
        return self._sequence

    def _see_telemetry(self) -> None:
        tick, run_id = self._world.tick_count, str(self._world.run_id)
        if self._telemetry_tick == tick:
            return
        self._telemetry_tick = tick
        state = SimState(running=False, paused=False, speed=1.0, tick=tick, run_id=run_id, behind_s=0.0)
        self._observer.take_telemetry(telemetry(self._world, state), self._now_s)

    def _command_event(self, kind: EventKind, body: Payload) -> None:
        self._commands += 1
        event_id = str(uuid5(self._world.run_id, f"event:{self._world.tick_count}:actuator:{self._commands}"))
        self._emit(SIMULATOR, kind, body, event_id, self._world.timestamp)


class WorldVehicle:
    """Answers from the world itself as the simulator of a stack answers over gRPC; never suspends.

    `sensors` are the numbers (SensorType) of the declared ones; `emit` takes the simulator's events.
    """

    def __init__(self, world: SimWorld, sensors: Iterable[int], emit: Callable[[EventKind, Payload], None]) -> None:
        self._world, self._sensors, self._emit = world, tuple(sensors), emit

    async def self_test(self) -> Answers:
        """Read every declared sensor, list the actuators."""
        readings = {sensor: self._reading(sensor) for sensor in self._sensors}
        actuators = {
            actuator.id: ActuatorReport(actuator.role, reason is None, reason or "")
            for actuator, reason in actuator_refusals(self._world)
        }
        return Answers(readings=readings, actuators=actuators, safe_mode=self._world.vehicle.safe_mode)

    async def send(self, command: ActuatorCommand) -> Outcome:
        """Give a command, which takes effect at the next tick."""
        outcome = submit_command(self._world, command, identities.AGENT)
        self._emit(ACTUATOR_OK if outcome.accepted else ACTUATOR_FAILED, outcome)
        return Outcome(outcome.accepted, HELD if outcome.accepted else outcome.message)

    def _reading(self, sensor_type: int) -> Reading | str:
        try:
            sensor = choose(self._world, sensor_type)
        except NoSensorError as error:
            return f"NOT_FOUND: {error}"
        there = read(self._world, sensor) is not None
        return Reading(str(sensor_id(sensor.kind)), is_valid=there, has_data=there)


def run_to_end(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that never suspends, without an event loop.

    Raises:
        RuntimeError: it suspended.
    """
    try:
        coroutine.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    coroutine.close()
    raise RuntimeError(f"{coroutine} suspended: it needs an event loop")
