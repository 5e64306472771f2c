"""The agent of a run in one process: it sees what a stack would publish, and commands the vehicle."""

from collections.abc import Callable, Mapping
from datetime import datetime
from uuid import uuid5

from qiki.agent.agent import Agent, AgentParameters
from qiki.agent.engine import Engine
from qiki.agent.engines.asking import InlineEngines
from qiki.agent.perception.observer import Observer
from qiki.agent.synchronous import run_to_end
from qiki.botspec import BotConfig
from qiki.clock import rfc3339
from qiki.contracts.events import EventKind
from qiki.contracts.fields import Payload
from qiki.contracts.models import RadarTrack, SimState
from qiki.flight.frames import FlownFrame
from qiki.flight.vehicle import WorldVehicle
from qiki.guard.messages import cleared_of, notice_of
from qiki.world.snapshots import telemetry
from qiki.world.world import World

Raise = Callable[[str, EventKind, Payload, str, datetime], None]
SIMULATOR, AGENT = "q-sim-service", "q-core-agent"
STALE_MIN_S = 1.0


class AgentSeat:
    """Feeds the agent's observer and lets it decide, as a stack in lockstep does.

    Args:
        emit: takes the events that the agent, and the simulator on its commands, raise: service, kind, payload,
            identity and time
    """

    def __init__(
        self, world: World, bot: BotConfig, parameters: AgentParameters, engines: Mapping[str, Engine], emit: Raise
    ) -> None:
        self._world, self._emit = world, emit
        self._observer = Observer(STALE_MIN_S, lockstep=True)
        sensors = [sensor.type for sensor in bot.hardware_profile.sensors]
        self._agent = Agent(
            bot,
            parameters,
            WorldVehicle(world, sensors, self._command_event),
            InlineEngines(engines),
            self._agent_event,
            self._observer,
        )
        self._sequence = 0
        self._commands = 0
        self._see_telemetry()

    def see(self, frame: FlownFrame) -> None:
        """Take a frame as the bridge publishes it: tracks, alerts, and the notice."""
        tracked, now_s = frame.tracked, self._now_s
        run, number, observer = tracked.run, tracked.number, self._observer
        for row in tracked.reports.rows(rfc3339(tracked.reports.moment)):
            observer.take_track(RadarTrack.model_validate(row), run, number, self._next, now_s)
        for alert in tracked.judgement.alerts:
            observer.take_alert(alert, run, number, self._next, now_s)
        for alert in tracked.judgement.resumed:
            observer.take_resumed(alert, run, number, self._next, now_s)
        for ended in tracked.judgement.ended:
            observer.take_cleared(cleared_of(ended, tracked), number, self._next, now_s)
        observer.take_tracked(notice_of(tracked), tracked.judgement.count, self._next, now_s)

    def decide(self) -> None:
        """Let the agent tick at the present time; what it commands takes effect at the next tick of the world."""
        self._see_telemetry()
        run_to_end(self._agent.tick(self._now_s))

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
        state = SimState(
            running=False,
            paused=False,
            speed=1.0,
            tick=self._world.tick_count,
            run_id=str(self._world.run_id),
            behind_s=0.0,
        )
        self._observer.take_telemetry(telemetry(self._world, state), self._now_s)

    def _agent_event(self, kind: EventKind, body: Payload, event_id: str, moment: datetime) -> None:
        self._emit(AGENT, kind, body, event_id, moment)

    def _command_event(self, kind: EventKind, body: Payload) -> None:
        self._commands += 1
        event_id = str(uuid5(self._world.run_id, f"event:{self._world.tick_count}:actuator:{self._commands}"))
        self._emit(SIMULATOR, kind, body, event_id, self._world.timestamp)
