"""Why SAFE_MODE: each cause by its trigger, and what is none."""

from dataclasses import replace
from typing import Any

import pytest

from qiki.agent.engine import EngineFault, EngineResult, FaultKind
from qiki.agent.mode.bios import examine, status
from qiki.agent.mode.faults import Situation, find_causes, waits_for
from qiki.agent.sim_instant import SimInstant
from qiki.agent.world import TELEMETRY, TRACKS, ActiveAlert, Input, World
from qiki.botspec import BotConfig
from qiki.contracts.events import BiosStatus, Evidence

NEVER = Input("qiki.tracker.v1.frames")
DEAD = Input("qiki.tracker.v1.frames", 7, 3.0, alive=False)


@pytest.fixture
def bios(config: BotConfig, make: Any) -> BiosStatus:
    return status(examine(config, make.answers(config), make.telemetry()), SimInstant(make.RUN, make.START_S, 1), 0.0)


@pytest.fixture
def well(config: BotConfig, make: Any, bios: BiosStatus) -> Situation:
    return Situation(make.world(bios=bios), config.hardware_profile.power_plane)


def at(situation: Situation, **changes: Any) -> Situation:
    return replace(situation, world=replace(situation.world, **changes))


def reasons(situation: Situation) -> list[str]:
    return [cause.reason for cause in find_causes(situation)]


def inputs(world: World, tracks: Input) -> dict[str, Input]:
    return {TRACKS: tracks, TELEMETRY: world.inputs[TELEMETRY]}


def test_nothing_is_wrong(well: Situation):
    assert find_causes(well) == ()
    assert waits_for(well.world) == ()


@pytest.mark.parametrize(("severity", "count"), [("critical", 1), ("warning", 0), ("info", 0)])
def test_alert(well: Situation, make: Any, severity: str, count: int):
    evidence = Evidence(subject="qiki.events.v1.radar.guard", sequence=3, age_s=0.1)
    causes = find_causes(at(well, alerts=(ActiveAlert(make.alert(1, severity=severity), evidence),)))
    assert [(cause.trigger, cause.rests_on) for cause in causes] == count * [("RADAR_ALERT_UNKNOWN_CLOSE", (evidence,))]


def test_bios_error_names_the_devices(well: Situation, config: BotConfig, make: Any, bios: BiosStatus):
    rows = examine(config, make.answers(config, readings={4: None}), make.telemetry(power={"faults": ("BATTERY_LOW",)}))
    faulty = status(rows, SimInstant(make.RUN, make.START_S, 1), 0.0)
    assert reasons(at(well, bios=faulty)) == ["BIOS_ERROR: gps NOT_FOUND, it does not answer"]


def test_bios_lost(well: Situation):
    lost = at(well, bios=None)
    assert reasons(lost) == ["BIOS_LOST: the self test is not answered"]
    assert reasons(replace(lost, booting=True)) == reasons(lost)
    assert reasons(replace(lost, booting=True, bios_answered=False)) == []
    assert waits_for(lost.world) == ("bios",)


@pytest.mark.parametrize(
    ("tracks", "booting", "reason"),
    [
        (DEAD, False, ["INPUT_STALE: tracks (qiki.tracker.v1.frames) does not come in time"]),
        (DEAD, True, ["INPUT_STALE: tracks (qiki.tracker.v1.frames) does not come in time"]),
        (NEVER, False, ["INPUT_STALE: tracks (qiki.tracker.v1.frames) never came"]),
        (NEVER, True, []),
    ],
)
def test_stale_input(well: Situation, tracks: Input, booting: bool, reason: list[str]):
    stale = replace(at(well, inputs=inputs(well.world, tracks)), booting=booting)
    assert reasons(stale) == reason
    assert waits_for(stale.world) == (TRACKS,)


@pytest.mark.parametrize(
    ("kind", "trigger"), [(FaultKind.FAILED, "ENGINE_FAILED"), (FaultKind.OVERRUN, "ENGINE_OVERRUN")]
)
def test_engine(well: Situation, kind: FaultKind, trigger: str):
    results = (EngineResult("calm"), EngineResult("pilot", fault=EngineFault(kind, "is not well")))
    assert reasons(replace(well, engine_results=results)) == [f"{trigger}: pilot: is not well"]


@pytest.mark.parametrize(
    ("power", "reason"),
    [
        ({"soc_pct": 20.0, "faults": ("BATTERY_LOW", "SUPPLY_LIMIT")}, []),
        ({"soc_pct": 19.9}, ["POWER_CRITICAL: battery under 20 %"]),
        ({"faults": ("BUS_UNDERVOLTAGE",)}, ["POWER_CRITICAL: BUS_UNDERVOLTAGE"]),
        ({"soc_pct": 0.0, "faults": ("BATTERY_EMPTY",)}, ["POWER_CRITICAL: BATTERY_EMPTY, battery under 20 %"]),
    ],
)
def test_power(well: Situation, make: Any, power: dict[str, Any], reason: list[str]):
    assert reasons(at(well, own=make.telemetry(power=power))) == reason


def test_heat(well: Situation, make: Any):
    hot = make.telemetry(nodes={"hull": (140.0, True), "core": (91.0, True), "battery": (71.0, True)})
    assert reasons(at(well, own=hot)) == ["THERMAL_TRIP: tripped: core, battery"]
    assert reasons(at(well, own=make.telemetry(nodes={"hull": (140.0, True)}))) == []
