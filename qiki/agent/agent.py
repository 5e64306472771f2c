"""The agent: one tick in five phases."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime

from qiki.agent.decision.dispatch import dispatch
from qiki.agent.decision.engine_lockout import lockout_reason
from qiki.agent.decision.evaluator import Candidate, Evaluator, candidates
from qiki.agent.decision.limits import Limits
from qiki.agent.decision.records import Onsets, Result, decision, event_of
from qiki.agent.engines.results import EnginePool, EngineResult
from qiki.agent.mode import rules
from qiki.agent.mode.faults import Situation, find_causes, waits_for
from qiki.agent.mode.fsm import StateMachine
from qiki.agent.mode.selftest import SelfTest
from qiki.agent.mode.supervisor import Findings, Supervisor
from qiki.agent.mode.vehicle_mode import VehicleMode
from qiki.agent.perception.evidence import newest
from qiki.agent.perception.observer import Observer
from qiki.agent.report import state_of
from qiki.agent.sim_instant import SimInstant, named
from qiki.agent.vehicle import VehicleLink
from qiki.agent.world import TELEMETRY, TRACKS
from qiki.botspec.config import BotConfig
from qiki.contracts.agent import AgentState
from qiki.contracts.enums import FSMState
from qiki.contracts.events import BIOS_FAILED, BIOS_OK, EventKind, SystemMode
from qiki.contracts.events.agent import Evidence

PHASES = ("context", "bios", "fsm", "proposals", "decision")


@dataclass(frozen=True, slots=True)
class AgentParameters:
    """The agent's numbers.

    Attributes:
        bios_interval_s: between self tests, on the agent's clock
        confidence_threshold: proposals below it are refused
        conduct: "live" or "lockstep", as the state tells it
        instance: what tells this process's identifiers from those of an earlier one in the same run; empty in
            lockstep, where the same run has to give the same ones
    """

    bios_interval_s: float = 5.0
    confidence_threshold: float = 0.6
    conduct: str = "live"
    instance: str = ""


class Agent:
    """The Q-Core Agent; whoever drives it awaits one `tick` after another.

    Before telemetry has told of a run nothing is done and nothing is said.

    Args:
        emit: `qiki.runtime.events.Events.emit`
        timing: a context for the duration of a phase of that name (`PHASES`)
    """

    def __init__(
        self,
        config: BotConfig,
        settings: AgentParameters,
        vehicle: VehicleLink,
        engines: EnginePool,
        emit: Callable[..., None],
        observer: Observer,
        timing: Callable[[str], AbstractContextManager[object]],
    ) -> None:
        self._settings = settings
        self._power = config.hardware_profile.power_plane
        self._vehicle, self._engines, self._observer = vehicle, engines, observer
        self._emit, self._timing = emit, timing
        self._bios = SelfTest(config, settings.bios_interval_s)
        self._supervisor = Supervisor(StateMachine(named("fsm", config.bot_id, settings.instance)), self._tell_mode)
        self._limits = Limits(config)
        self._evaluator = Evaluator(self._limits, settings.confidence_threshold)
        self._vehicle_mode = VehicleMode()
        self._onsets = Onsets()
        self._turns: tuple[EngineResult, ...] = ()
        self._causes: tuple[str, ...] = ()
        self._world = observer.world(0, 0.0, None)

    @property
    def fsm_state(self) -> FSMState:
        """Where the state machine stands."""
        return self._supervisor.state

    @property
    def waits_for(self) -> tuple[str, ...]:
        """While booting, what still lacks; empty afterwards."""
        return waits_for(self._world) if self.fsm_state is FSMState.BOOTING else ()

    async def tick(self, now_s: float) -> None:
        """Look, test, judge, ask, decide."""
        with self._timing("context"):
            self._look(self._world.tick + 1, now_s)
        if not self._world.run_id:
            return
        self._supervisor.boot(self._stamp, self._inputs)
        with self._timing("bios"):
            await self._test(now_s)
        with self._timing("fsm"):
            self._judge()
        with self._timing("proposals"):
            heard = await self._ask()
        with self._timing("decision"):
            await self._decide(heard)

    def state(self, timestamp: datetime) -> AgentState:
        """What the agent says of itself on `qiki.agent.v1.state`; `timestamp` is simulated time."""
        fsm = self._supervisor.snapshot(self._stamp)
        good_checks, conduct = self._supervisor.good_checks, self._settings.conduct
        return state_of(timestamp, conduct, self._world, fsm, self._causes, good_checks, self._turns)

    async def shutdown(self, now_s: float) -> None:
        """Say that the agent stops (AGENT_HALTED)."""
        self._look(self._world.tick, now_s)
        if self._world.run_id:
            self._supervisor.halt(self._stamp)

    @property
    def _stamp(self) -> SimInstant:
        world = self._world
        return SimInstant(world.run_id, world.t_s, world.tick, self._settings.instance)

    @property
    def _inputs(self) -> tuple[Evidence, ...]:
        """What is rested on where nothing else is named."""
        return newest(self._world, TRACKS, TELEMETRY)

    def _look(self, tick: int, now_s: float) -> None:
        self._world = self._observer.world(tick, now_s, self._bios.status)
        self._vehicle_mode.look(self._world)

    async def _test(self, now_s: float) -> None:
        """Ask the vehicle to test itself, when that is due, and tell what is news."""
        world, stamp = self._world, self._stamp
        self._bios.pass_time(stamp)
        if world.own is None or not self._bios.due(world.run_id, now_s):
            return
        answers = await self._vehicle.self_test()
        self._vehicle_mode.seen(answers.safe_mode)
        report = self._bios.take(answers, world.own, stamp, now_s)
        self._world = replace(world, bios=self._bios.status)
        if report is not None:
            kind = BIOS_OK if report.all_systems_go else BIOS_FAILED
            self._emit(kind, report, str(report.bios_uuid), stamp.moment)

    def _judge(self) -> None:
        booting = self.fsm_state is FSMState.BOOTING
        causes = find_causes(Situation(self._world, self._power, self._turns, booting, self._bios.answered))
        self._causes = tuple(cause.reason for cause in causes)
        findings = Findings(causes, not waits_for(self._world), self._inputs)
        self._supervisor.check(findings, self._stamp)

    async def _ask(self) -> tuple[Candidate, ...]:
        """The rules first, then every engine, in SAFE_MODE too: one that failed can show there that it is well."""
        self._turns = await self._engines.propose(self._world)
        given = tuple(one for turn in self._turns for one in candidates(turn.name, turn.proposals))
        self._supervisor.take_proposals(bool(given), self._stamp)
        because = self._supervisor.rests_on
        ruled = rules.propose(self._world, self.fsm_state, self._vehicle_mode.known, self._power, because)
        return (*candidates(rules.NAME, ruled, ruled=True), *given)

    async def _decide(self, heard: tuple[Candidate, ...]) -> None:
        deaf = lockout_reason(self.fsm_state, self._turns, self._vehicle_mode.known)
        verdicts = self._evaluator.evaluate(heard, deaf)
        results = await dispatch(verdicts, self._vehicle, self._limits, self._stamp)
        for result in results:
            self._learn(result)
        for result in self._onsets.news(results):
            body = decision(result, self.fsm_state, self._stamp, self._inputs)
            self._emit(event_of(result), body, str(body.proposal_id), self._stamp.moment)

    def _learn(self, result: Result) -> None:
        """Remember which mode the vehicle took."""
        candidate = result.verdict.candidate
        mode = rules.mode_of(candidate.proposal) if candidate.ruled else None
        if mode is not None and result.outcomes:
            self._vehicle_mode.told(mode, result.outcomes[-1].accepted)

    def _tell_mode(self, kind: EventKind, body: SystemMode, stamp: SimInstant) -> None:
        self._emit(kind, body, str(stamp.id("mode", kind.code)), stamp.moment)
