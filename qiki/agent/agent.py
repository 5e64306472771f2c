"""The agent: one tick in five phases."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from qiki.agent.decision.dispatch import RepeatFilter, decision, dispatch
from qiki.agent.decision.evaluator import Candidate, Evaluator, candidates, lockout_reason
from qiki.agent.decision.limits import ActuatorLimits
from qiki.agent.engine import EnginePool, EngineResult
from qiki.agent.mode import rules
from qiki.agent.mode.bios import SelfTest
from qiki.agent.mode.faults import Situation, find_causes, waits_for
from qiki.agent.mode.fsm import StateMachine
from qiki.agent.perception.observer import Observer
from qiki.agent.sim_instant import SimInstant, named
from qiki.agent.vehicle import VehicleLink
from qiki.agent.world import TELEMETRY, TRACKS, World
from qiki.botspec.config import BotConfig
from qiki.contracts.agent import AgentState, EngineState, InputState
from qiki.contracts.enums import FSMState
from qiki.contracts.events import BIOS_FAILED, BIOS_OK, Evidence
from qiki.state import State, Stateful

PHASES = ("context", "bios", "fsm", "proposals", "decision")
Timing = Callable[[str], AbstractContextManager[object]]


@dataclass(frozen=True, slots=True)
class AgentParameters:
    """The agent's numbers.

    Attributes:
        bios_interval_s: between self tests, on the agent's clock
        confidence_threshold: proposals below it are refused
        conduct: "live" or "lockstep", as `AgentState` shows it
        lockstep_ticks: ticks of the world between two of the agent's in lockstep, as `AgentState` shows them
        instance: distinguishes the identifiers of two processes in the same run; empty in lockstep, where the same run
            must give the same identifiers
    """

    bios_interval_s: float = 5.0
    confidence_threshold: float = 0.6
    conduct: str = "live"
    lockstep_ticks: int = 0
    instance: str = ""


class Agent(Stateful):
    """The Q-Core Agent. Its owner awaits one `tick` after the other.

    Each tick assembles the world, tests the vehicle when that is due, moves the state machine, asks rules and engines
    for proposals, and sends the commands of those that it accepts. Until telemetry names a run, a tick does nothing.

    Args:
        emit: takes kind, body, id and time of an event, as `qiki.runtime.events.Events.emit`
        timing: returns a context that times a phase of that name (`PHASES`)
    """

    STATE = State(
        _observer=Observer,
        _bios=SelfTest,
        _machine=StateMachine,
        _vehicle_mode=rules.VehicleMode,
        _repeats=RepeatFilter,
        _engine_results=tuple[EngineResult, ...],
        _causes=tuple[str, ...],
        _world=World,
    )

    def __init__(
        self,
        config: BotConfig,
        settings: AgentParameters,
        vehicle: VehicleLink,
        engines: EnginePool,
        emit: Callable[..., None],
        observer: Observer,
        timing: Timing = nullcontext,
    ) -> None:
        self._settings = settings
        self._power = config.hardware_profile.power_plane
        self._vehicle, self._engines, self._observer = vehicle, engines, observer
        self._emit, self._timing = emit, timing
        self._bios = SelfTest(config, settings.bios_interval_s)
        self._machine = StateMachine(named("fsm", config.bot_id, settings.instance), emit)
        self._limits = ActuatorLimits(config)
        self._evaluator = Evaluator(self._limits, settings.confidence_threshold)
        self._vehicle_mode = rules.VehicleMode()
        self._repeats = RepeatFilter()
        self._engine_results: tuple[EngineResult, ...] = ()
        self._causes: tuple[str, ...] = ()
        self._world = observer.world(0, 0.0, None)
        self._ahead: tuple[float, World] | None = None

    @property
    def fsm_state(self) -> FSMState:
        """State of the state machine."""
        return self._machine.state

    @property
    def waits_for(self) -> tuple[str, ...]:
        """The inputs that the boot still lacks; empty after it."""
        return waits_for(self._world) if self.fsm_state is FSMState.BOOTING else ()

    def look(self, now_s: float) -> World:
        """Return the world that a tick at this time begins with, before its self test."""
        if self._ahead is None or self._ahead[0] != now_s:
            self._ahead = now_s, self._observer.world(self._world.tick + 1, now_s, self._bios.status)
        return self._ahead[1]

    async def tick(self, now_s: float) -> None:
        """Do one tick; `now_s` is the agent's clock, as for the observer."""
        with self._timing("context"):
            self._see(self.look(now_s))
        if not self._world.run_id:
            return
        self._machine.boot(self._instant, self._inputs)
        with self._timing("bios"):
            await self._test(now_s)
        with self._timing("fsm"):
            self._check()
        with self._timing("proposals"):
            proposed = await self._ask()
        with self._timing("decision"):
            await self._decide(proposed)

    def state(self, timestamp: datetime) -> AgentState:
        """Return the message for `qiki.agent.v1.state`; `timestamp` is simulated time."""
        world = self._world
        return AgentState(
            timestamp=timestamp,
            conduct=self._settings.conduct,
            lockstep_ticks=self._settings.lockstep_ticks,
            tick=world.tick,
            run_id=world.run_id,
            fsm=self._machine.snapshot(self._instant),
            causes=self._causes,
            good_checks=self._machine.good_checks,
            inputs={name: InputState(**asdict(one)) for name, one in world.inputs.items()},
            bios_ok=world.bios.all_systems_go if world.bios else None,
            engines={result.name: _engine_state(result) for result in self._engine_results},
            tracks=len(world.tracks),
            alerts=len(world.alerts),
        )

    async def shutdown(self, now_s: float) -> None:
        """Emit AGENT_HALTED."""
        self._see(self._observer.world(self._world.tick, now_s, self._bios.status))
        if self._world.run_id:
            self._machine.halt(self._instant)

    @property
    def _instant(self) -> SimInstant:
        world = self._world
        return SimInstant(world.run_id, world.t_s, world.tick, self._settings.instance)

    @property
    def _inputs(self) -> tuple[Evidence, ...]:
        """The evidence for what names none."""
        return self._world.newest(TRACKS, TELEMETRY)

    def _see(self, world: World) -> None:
        self._world, self._ahead = world, None
        self._vehicle_mode.update(world)

    async def _test(self, now_s: float) -> None:
        """Have the vehicle test itself when that is due; emit the report if it has changed."""
        world, instant = self._world, self._instant
        self._bios.pass_time(instant)
        if world.own is None or not self._bios.due(world.run_id, now_s):
            return
        answers = await self._vehicle.self_test()
        self._vehicle_mode.observed(answers.safe_mode)
        report = self._bios.take(answers, world.own, instant, now_s)
        self._world = replace(world, bios=self._bios.status)
        if report is not None:
            kind = BIOS_OK if report.all_systems_go else BIOS_FAILED
            self._emit(kind, report, str(report.bios_uuid), instant.moment)

    def _check(self) -> None:
        booting = self.fsm_state is FSMState.BOOTING
        causes = find_causes(Situation(self._world, self._power, self._engine_results, booting, self._bios.answered))
        self._causes = tuple(cause.reason for cause in causes)
        self._machine.check(causes, not waits_for(self._world), self._instant, self._inputs)

    async def _ask(self) -> tuple[Candidate, ...]:
        """Ask the rules and every engine; in SAFE_MODE too, where an engine can show that it works again."""
        self._engine_results = await self._engines.propose(self._world)
        proposed = tuple(one for result in self._engine_results for one in candidates(result.name, result.proposals))
        self._machine.take_proposals(bool(proposed), self._instant)
        because = self._machine.rests_on
        ruled = rules.propose(self._world, self.fsm_state, self._vehicle_mode.known, self._power, because)
        return (*candidates(rules.NAME, ruled, from_rules=True), *proposed)

    async def _decide(self, proposed: tuple[Candidate, ...]) -> None:
        lockout = lockout_reason(self.fsm_state, self._engine_results, self._vehicle_mode.known)
        verdicts = self._evaluator.evaluate(proposed, lockout)
        results = await dispatch(verdicts, self._vehicle, self._limits, self._instant)
        for result in results:
            candidate = result.verdict.candidate
            mode = rules.mode_of(candidate.proposal) if candidate.from_rules else None
            if mode is not None and result.outcomes:
                self._vehicle_mode.commanded(mode, result.outcomes[-1].accepted)
        for result in self._repeats.new(results):
            body = decision(result, self.fsm_state, self._instant, self._inputs)
            self._emit(result.event, body, str(body.proposal_id), self._instant.moment)


def _engine_state(result: EngineResult) -> EngineState:
    fault = f"{result.fault.kind}: {result.fault.text}" if result.fault else None
    return EngineState(proposals=len(result.proposals), duration_s=max(0.0, result.duration_s), fault=fault)
