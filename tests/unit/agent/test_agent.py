"""The agent, tick by tick, with a small vehicle and small engines: its events and its commands."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import pytest

from qiki.agent.agent import PHASES, Agent, AgentParameters
from qiki.agent.engine import EngineFault, EngineResult, FaultKind
from qiki.agent.perception.observer import Observer
from qiki.agent.proposals import Proposal, fire
from qiki.agent.vehicle import Outcome
from qiki.agent.world import World
from qiki.botspec import BotConfig
from qiki.contracts.agent import AgentState
from qiki.contracts.enums import CommandType, FSMState, ProposalStatus
from qiki.contracts.events import Decision, EventKind, SystemMode
from qiki.contracts.fields import Payload
from qiki.flight.agent_driver import run_to_end

BOOTING, IDLE, ACTIVE, ERROR, SHUTDOWN = list(FSMState)[1:]
PUSH = Proposal((fire("forward", 50.0, 1.0),), "the way is free", key="push")
TICK_S = 0.1


@dataclass
class SmallPool:
    """Engines with given results."""

    results: tuple[EngineResult, ...] = ()
    worlds: list[World] = field(default_factory=list)

    async def propose(self, world: World) -> tuple[EngineResult, ...]:
        self.worlds.append(world)
        return self.results


@dataclass(frozen=True)
class Emitted:
    kind: EventKind
    body: Any
    event_id: str
    moment: datetime

    @property
    def text(self) -> str:
        if isinstance(self.body, SystemMode):
            return f"{self.kind.code} {self.body.mode} {self.body.trigger}"
        if isinstance(self.body, Decision):
            why = self.body.reason or self.body.justification
            return f"{self.kind.code} {self.body.source} {self.body.status.name} {why}"
        return f"{self.kind.code} {self.kind.subject.rpartition('.')[2]}"


class Stage:
    """An agent in a run at 10 frames a second, ticked once a frame."""

    def __init__(self, config: BotConfig, vehicle: Any, make: Any, bridge_of: Any, **settings: Any) -> None:
        self.make = make
        self.vehicle, self.pool = vehicle, SmallPool()
        self.observer = Observer(1.0, lockstep=True)
        self.bridge = bridge_of(self.observer)
        self.emitted: list[Emitted] = []
        self.all: list[Emitted] = []
        self.phases: list[str] = []
        self.frame = -1
        self.agent = Agent(
            config, AgentParameters(**settings), vehicle, self.pool, self._emit, self.observer, self._timing
        )

    @property
    def now_s(self) -> float:
        return self.make.START_S + self.frame * TICK_S

    def begin(self, run: str) -> None:
        """Another run, from its first frame."""
        self.bridge.run, self.frame = run, -1

    def tick(self, count: int = 1, tracks: tuple[int, ...] | None = (1,), telemetry: Any = None, **guard: Any) -> None:
        """Frames with these tracks (None: no frame comes), and a tick after each."""
        for _ in range(count):
            self.frame += 1
            own = telemetry or {}
            self.observer.take_telemetry(self.make.telemetry(self.frame * TICK_S, self.bridge.run, **own), self.now_s)
            if tracks is not None:
                self.bridge.frame(self.frame, tracks, self.now_s, **guard)
            run_to_end(self.agent.tick(self.now_s))

    def news(self) -> list[str]:
        """Return the new events."""
        texts = [one.text for one in self.emitted]
        self.all += self.emitted
        self.emitted.clear()
        return texts

    def modes_sent(self) -> list[FSMState]:
        modes = [FSMState(one.value) for one in self.vehicle.sent if one.command_type == CommandType.SET_MODE]
        self.vehicle.sent.clear()
        return modes

    def state(self) -> AgentState:
        return self.agent.state(datetime.fromisoformat("2026-09-21T00:00:00Z"))

    def _emit(self, kind: EventKind, body: Payload, event_id: str, moment: datetime) -> None:
        assert isinstance(body, kind.model)
        assert type(body).from_json(body.to_json()) == body
        self.emitted.append(Emitted(kind, body, event_id, moment))

    @contextmanager
    def _timing(self, phase: str) -> Iterator[None]:
        self.phases.append(phase)
        yield


@pytest.fixture
def stage_of(config: BotConfig, make: Any, bridge_of: Any, vehicle: Any) -> Callable[..., Stage]:
    def made(**settings: Any) -> Stage:
        return Stage(config, replace(vehicle, sent=[]), make, bridge_of, **settings)

    return made


@pytest.fixture
def stage(stage_of: Callable[..., Stage]) -> Stage:
    return stage_of()


@pytest.fixture
def booted(stage: Stage) -> Stage:
    stage.tick()
    stage.news()
    stage.modes_sent()
    return stage


def test_boot_alert_safe_mode_and_back(stage: Stage, make: Any):
    stage.tick()
    assert stage.news() == [
        "110 BOOTING BOOT",
        "701 bios_status",
        "111 NORMAL BOOT_COMPLETE",
        "300 rules EXECUTED the agent is in IDLE: the vehicle has to be in IDLE",
    ]
    stage.tick(3)
    assert stage.news() == []
    assert stage.modes_sent() == [IDLE]

    stage.tick(alerts=(make.alert(1, 4),))
    assert [one.body.rests_on[0].subject for one in stage.emitted if one.kind.code == 900] == [
        "qiki.events.v1.radar.guard"
    ]
    assert stage.news() == [
        "900 SAFE_MODE RADAR_ALERT_UNKNOWN_CLOSE",
        "300 rules EXECUTED the agent is in ERROR_STATE: the vehicle has to be in ERROR_STATE",
    ]
    stage.tick(5)
    assert stage.news() == []
    assert stage.modes_sent() == [ERROR]

    stage.tick(ended=(make.cleared(1, 10),))
    assert stage.news() == ["910 SAFE_MODE CAUSES_GONE"]
    stage.tick(2)
    assert stage.news() == [
        "911 NORMAL ERROR_CLEARED",
        "300 rules EXECUTED the agent is in IDLE: the vehicle has to be in IDLE",
    ]
    assert stage.modes_sent() == [IDLE]
    run_to_end(stage.agent.shutdown(stage.now_s))
    assert stage.news() == ["901 SHUTDOWN SHUTDOWN"]
    assert len({one.event_id for one in stage.all}) == len(stage.all)


def test_same_run_gives_the_same_events(stage_of: Callable[..., Stage], make: Any):
    def play(stage: Stage) -> list[Emitted]:
        stage.pool.results = (EngineResult("pilot", (PUSH,)),)
        stage.tick(2)
        stage.tick(2, alerts=(make.alert(1),))
        stage.tick(5, tracks=())
        stage.news()
        return stage.all

    one, other = play(stage_of()), play(stage_of())
    assert len(one) > 8
    assert one == other
    assert not {emitted.event_id for emitted in one} & {emitted.event_id for emitted in play(stage_of(instance="b"))}


def test_nothing_before_the_run_is_known(stage: Stage):
    run_to_end(stage.agent.tick(0.0))
    run_to_end(stage.agent.shutdown(0.0))
    assert (stage.news(), stage.vehicle.tests, stage.agent.waits_for) == ([], 0, ("tracks", "telemetry", "bios"))
    assert stage.state().bios_ok is None


def test_boot_waits_for_an_input_that_never_came(stage: Stage):
    stage.vehicle.answers = replace(stage.vehicle.answers, timed_out=True)
    stage.tick(30, tracks=None)
    assert stage.news() == ["110 BOOTING BOOT"]
    assert (stage.agent.fsm_state, stage.agent.waits_for) == (BOOTING, ("tracks", "bios"))
    assert stage.vehicle.tests == 3  # once a second, while nobody answers
    stage.tick()
    assert stage.agent.waits_for == ("bios",)
    stage.vehicle.answers = replace(stage.vehicle.answers, timed_out=False)
    stage.tick(10)
    assert "111 NORMAL BOOT_COMPLETE" in stage.news()
    assert stage.agent.waits_for == ()


def test_old_alert_at_boot_leads_to_safe_mode(stage: Stage, make: Any):
    stage.observer.take_alert(make.alert(1), make.RUN, 0, 1, 0.0)
    stage.frame = 500
    stage.tick()
    assert stage.news()[:3] == ["110 BOOTING BOOT", "701 bios_status", "900 SAFE_MODE RADAR_ALERT_UNKNOWN_CLOSE"]


def test_phases_are_timed_in_order(booted: Stage):
    assert tuple(booted.phases) == PHASES


def test_engine_makes_it_active(booted: Stage):
    booted.pool.results = (EngineResult("pilot", (PUSH,)),)
    booted.tick(2)
    assert booted.news() == 2 * ["300 pilot EXECUTED the way is free"]
    assert booted.agent.fsm_state is ACTIVE
    booted.pool.results = (EngineResult("pilot"),)
    booted.tick()
    assert (booted.news(), booted.agent.fsm_state) == ([], IDLE)


def test_default_evidence_is_the_newest_of_the_inputs(booted: Stage):
    booted.pool.results = (EngineResult("pilot", (PUSH,)),)
    booted.tick()
    (emitted,) = booted.emitted
    tracks, telemetry = emitted.body.rests_on
    assert (tracks.subject, tracks.sequence, tracks.age_s) == ("qiki.tracker.v1.frames", booted.bridge.sequence, 0.0)
    assert (telemetry.subject, telemetry.sequence) == ("qiki.telemetry", None)


def test_safe_mode_asks_engines_but_refuses_them_with_one_event(booted: Stage, make: Any):
    booted.tick(alerts=(make.alert(1, 1),))
    booted.news()
    booted.pool.results = (EngineResult("pilot", (PUSH,)),)
    booted.tick(5)
    assert booted.news() == ["302 pilot REJECTED safe mode"]
    assert [one.command_type for one in booted.vehicle.sent] == [5]


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        (EngineResult("pilot", fault=EngineFault(FaultKind.OVERRUN, "not back")), "ENGINE_OVERRUN: pilot: not back"),
        (EngineResult("pilot", fault=EngineFault(FaultKind.FAILED, "KeyError")), "ENGINE_FAILED: pilot: KeyError"),
    ],
)
def test_faulty_engine_leads_to_safe_mode_until_it_works_again(booted: Stage, result: EngineResult, reason: str):
    booted.pool.results = (result,)
    booted.tick(2)
    state = booted.state()
    assert (state.causes, state.fsm.state_metadata["reason"]) == ((reason,), reason)
    assert state.engines["pilot"].fault is not None
    assert state.engines["pilot"].proposals == 0
    assert [one.command_type for one in booted.vehicle.sent] == [5]
    booted.pool.results = (EngineResult("pilot"),)
    booted.tick(4)
    assert booted.agent.fsm_state is IDLE


def test_on_the_tick_of_a_fault_no_engine_commands_the_vehicle(booted: Stage):
    late = EngineResult("puppet", fault=EngineFault(FaultKind.OVERRUN, "not back"))
    booted.pool.results = (EngineResult("pilot", (PUSH,)), late)
    booted.tick()
    assert booted.vehicle.sent == []
    assert booted.news() == ["302 pilot REJECTED engine puppet is at fault"]
    booted.pool.results = (EngineResult("pilot", (PUSH,)), EngineResult("puppet"))
    booted.tick(5)
    assert booted.news()[0] == "900 SAFE_MODE ENGINE_OVERRUN"
    assert [one.command_type for one in booted.vehicle.sent] == [5, 5, 1]


def test_no_engine_commands_a_vehicle_that_has_not_left_safe_mode_yet(booted: Stage, make: Any):
    booted.pool.results = (EngineResult("pilot", (PUSH,)),)
    booted.tick(alerts=(make.alert(1, 1),))
    booted.tick(2, tracks=())
    booted.vehicle.sent.clear()
    booted.news()
    booted.tick(tracks=())
    assert booted.news() == [
        "911 NORMAL ERROR_CLEARED",
        "300 rules EXECUTED the agent is in ACTIVE: the vehicle has to be in IDLE",
        "302 pilot REJECTED the vehicle has not taken its mode yet",
    ]
    assert booted.modes_sent() == [IDLE]
    booted.tick(tracks=())
    assert booted.news() == ["300 pilot EXECUTED the way is free"]


@pytest.mark.parametrize(("soc_pct", "mode"), [(80.0, IDLE), (10.0, ERROR)])
def test_vehicle_that_shows_another_mode_than_it_took_gets_it_again(booted: Stage, soc_pct: float, mode: FSMState):
    power = {"power": {"soc_pct": soc_pct}}
    booted.tick(2, telemetry=power)
    booted.modes_sent()
    booted.vehicle.safe = not booted.vehicle.safe  # someone else set it, or it was restarted
    booted.tick(100, telemetry=power)
    assert booted.modes_sent() == [mode]


def test_safe_mode_of_the_vehicle_rests_on_its_cause(booted: Stage, make: Any):
    booted.tick(alerts=(make.alert(1, 1),))
    emitted = [one.body for one in booted.emitted if one.kind.code == 300]
    assert [[one.subject for one in body.rests_on] for body in emitted] == [["qiki.events.v1.radar.guard"]]
    booted.news()
    booted.tick(3, tracks=())
    emitted = [one.body for one in booted.emitted if one.kind.code == 300]
    assert [[one.subject for one in body.rests_on] for body in emitted] == [["qiki.telemetry"]]


def test_bios_lost_and_back(booted: Stage):
    booted.vehicle.answers = replace(booted.vehicle.answers, timed_out=True)
    booted.tick(50)
    assert booted.news()[0] == "900 SAFE_MODE BIOS_LOST"
    assert booted.pool.worlds[-1].bios is None
    booted.vehicle.answers = replace(booted.vehicle.answers, timed_out=False)
    booted.tick(13)
    assert booted.news()[:3] == ["701 bios_status", "910 SAFE_MODE CAUSES_GONE", "911 NORMAL ERROR_CLEARED"]


def test_failed_sensor_is_an_event_and_leads_to_safe_mode(booted: Stage, config: BotConfig, make: Any):
    booted.vehicle.answers = make.answers(config, readings={4: "it has failed"})
    booted.tick(50)
    assert booted.news()[:2] == ["702 bios_status", "900 SAFE_MODE BIOS_ERROR"]


def test_silent_tracks_lead_to_safe_mode(booted: Stage):
    booted.tick()
    booted.tick(11, tracks=None)
    assert booted.news()[0] == "900 SAFE_MODE INPUT_STALE"
    booted.tick(3)
    assert booted.agent.fsm_state is IDLE


def test_silent_vehicle_gets_its_mode_again_until_it_answers(booted: Stage, make: Any):
    booted.vehicle.outcome = Outcome(None, "deadline exceeded")
    booted.tick(alerts=(make.alert(1, 1),))
    booted.tick(3)
    assert booted.news() == [
        "900 SAFE_MODE RADAR_ALERT_UNKNOWN_CLOSE",
        "302 rules EXPIRED the vehicle does not answer: deadline exceeded",
    ]
    assert booted.modes_sent() == 4 * [ERROR]
    booted.vehicle.outcome = Outcome(True, "")
    booted.tick(2)
    assert booted.modes_sent() == [ERROR]
    assert [text[:18] for text in booted.news()] == ["300 rules EXECUTED"]


def test_refusal_of_the_vehicle_is_one_event(booted: Stage):
    booted.pool.results = (EngineResult("pilot", (PUSH,)),)
    booted.vehicle.outcome = Outcome(False, "no propellant")
    booted.tick(4)
    assert booted.news() == ["302 pilot REJECTED the vehicle refuses: no propellant"]
    assert len(booted.vehicle.sent) == 4


def test_vehicle_of_a_new_run_gets_its_mode_again(booted: Stage, make: Any):
    low = {"power": {"soc_pct": 10.0}}
    booted.tick(2, telemetry=low)
    assert booted.modes_sent() == [ERROR]
    booted.begin(make.run(2))
    booted.tick(2, telemetry=low)
    assert booted.modes_sent() == [ERROR]
    assert booted.agent.fsm_state is ERROR
    booted.tick(3)
    assert booted.modes_sent() == [IDLE]
    assert booted.state().run_id == make.run(2)


def test_new_run_ends_the_alerts_of_the_old_one(booted: Stage, make: Any):
    booted.tick(alerts=(make.alert(1, 1),))
    booted.begin(make.run(2))
    booted.tick(3)
    assert booted.agent.fsm_state is IDLE
    assert booted.vehicle.tests == 2  # another run, another self test


def test_warning_is_one_event_for_as_long_as_it_lasts(booted: Stage):
    low = {"power": {"soc_pct": 25.0}}
    booted.tick(3, telemetry=low)
    booted.tick()
    booted.tick(telemetry=low)
    assert booted.news() == 2 * ["300 rules ACCEPTED the battery is under 30 %"]
    assert booted.agent.fsm_state is IDLE


def test_state_shows_what_the_agent_knows(booted: Stage, make: Any):
    booted.pool.results = (EngineResult("pilot", (PUSH,), 0.02),)
    booted.tick(alerts=(make.alert(1, 1, severity="warning"),))
    state = booted.state()
    assert type(state).from_json(state.to_json()) == state
    assert (state.conduct, state.tick, state.run_id, state.bios_ok) == ("live", 2, make.RUN, True)
    assert (state.tracks, state.alerts, state.causes, state.good_checks) == (1, 1, (), 0)
    assert (state.engines["pilot"].proposals, state.engines["pilot"].duration_s) == (1, 0.02)
    assert {name: one.alive for name, one in state.inputs.items()} == {"tracks": True, "telemetry": True}
    assert [record.to_state for record in state.fsm.history] == [IDLE, ACTIVE]


def test_threshold_refuses_before_anything_is_sent(stage_of: Callable[..., Stage]):
    stage = stage_of(confidence_threshold=0.9)
    stage.tick()
    stage.pool.results = (EngineResult("pilot", (replace(PUSH, confidence=0.8),)),)
    stage.tick(3)
    (refused,) = [one.body for one in stage.emitted if one.kind.code == 302]
    assert (refused.status, refused.reason) == (ProposalStatus.REJECTED, "confidence 0.8 is below 0.9")
    assert stage.modes_sent() == [IDLE]
