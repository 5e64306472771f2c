"""The vehicle as a whole, driven by orders."""

import math

import numpy as np
import pytest

from qiki.botspec.planes import (
    BotParameters,
    Node,
    Port,
    PowerParameters,
    PropulsionParameters,
    SensorKind,
    SensorParameters,
    StorageParameters,
    ThermalParameters,
)
from qiki.contracts.enums import FSMState, TransponderMode
from qiki.world.scenario import BotStart
from qiki.world.vehicle.axes import Axis
from qiki.world.vehicle.loads import Load
from qiki.world.vehicle.orders import (
    Cruise,
    EngageDock,
    FireThruster,
    LimitNbl,
    Order,
    ReleaseDock,
    SetMode,
    SetTransponder,
    StopThrusters,
    SwitchDockPower,
    SwitchNbl,
    Turn,
)
from qiki.world.vehicle.vehicle import Vehicle

DT_S = 0.05


def vehicle(parameters: BotParameters | None = None, start: BotStart | None = None) -> Vehicle:
    return Vehicle(parameters or BotParameters(), start or BotStart(), DT_S, np.random.default_rng(1))


def run(bot: Vehicle, seconds: float) -> Vehicle:
    for _ in range(round(seconds / DT_S)):
        bot.step()
    return bot


def obey(bot: Vehicle, *orders: Order) -> Vehicle:
    for order in orders:
        assert order.refusal(bot) is None
        order.apply(bot)
    return bot


def weak(soc_pct: float, base_source_w: float) -> BotParameters:
    battery = StorageParameters(capacity_wh=500.0, start_pct=soc_pct, charge_limit_w=120.0, discharge_limit_w=140.0)
    return BotParameters(power=PowerParameters(battery=battery, base_source_w=base_source_w))


def test_left_alone_it_flies_straight_on():
    bot = run(vehicle(start=BotStart(position_m=(1.0, 2.0, 3.0), velocity_mps=(10.0, -20.0, 0.5))), 10.0)
    assert bot.position_m == pytest.approx((101.0, -198.0, 8.0))
    assert bot.velocity_mps == (10.0, -20.0, 0.5)


def test_thrust_moves_it():
    bot = run(obey(vehicle(start=BotStart(heading_deg=90.0)), FireThruster(Axis.PORT, 1.0, 2.0)), 5.0)
    gained_mps = 60.0 * 9.80665 * math.log(62.0 / (62.0 - 40.0 / (60.0 * 9.80665)))
    assert bot.velocity_mps == pytest.approx((0.0, gained_mps, 0.0))  # heading east, port is north
    assert bot.position_m == pytest.approx((0.0, gained_mps * (1.0 + 3.0), 0.0), rel=1e-3)
    assert bot.thrusters.propellant_kg < 12.0


@pytest.mark.parametrize("percent", [1, 50, 100])
def test_moving_never_sheds_the_radar(percent: int):
    bot = obey(vehicle(), Cruise(percent / 100))
    for _ in range(1200):
        bot.step()
        assert bot.radar_off_reason is None
        assert bot.bus.shed == ()


def test_thrust_from_a_thruster_releases_the_drive():
    bot = run(obey(vehicle(), Cruise(1.0)), 5.0)
    run(obey(bot, FireThruster(Axis.UP, 1.0, 1.0)), 5.0)
    assert bot.drive.speed_mps == 0.0
    assert bot.velocity_mps[2] > 0.3


def test_stopping_the_thrusters_ends_a_pulse():
    bot = run(obey(vehicle(), FireThruster(Axis.UP, 1.0, 100.0)), 1.0)
    climb = bot.velocity_mps
    assert run(obey(bot, StopThrusters()), 1.0).velocity_mps == climb


def test_safe_mode_ends_thrust_and_sheds_what_is_not_essential():
    bot = obey(vehicle(), Cruise(1.0), SwitchNbl(on=True), FireThruster(Axis.UP, 1.0, 100.0), Turn(90.0))
    run(bot, 1.0)
    run(obey(bot, SetMode(FSMState.ERROR_STATE)), DT_S)
    before, heading_deg = bot.velocity_mps, bot.drive.heading_deg
    run(bot, 10.0)
    assert bot.velocity_mps == before
    assert bot.drive.heading_deg == heading_deg
    assert bot.bus.granted_w[Load.NBL] == 0.0
    assert bot.bus.granted_w[Load.RADAR] > 0.0
    assert bot.transponder.mode is TransponderMode.ON


@pytest.mark.parametrize("order", [Cruise(0.5), Turn(10.0), FireThruster(Axis.UP, 1.0, 1.0)])
def test_safe_mode_refuses_thrust_until_another_mode_is_set(order: Order):
    bot = obey(vehicle(), SetMode(FSMState.ERROR_STATE))
    assert "safe mode" in (order.refusal(bot) or "")
    obey(bot, SetMode(FSMState.IDLE), order)


def test_leaving_safe_mode_gives_the_nbl_its_power_back():
    bot = run(obey(vehicle(), SwitchNbl(on=True), SetMode(FSMState.ERROR_STATE)), 1.0)
    assert bot.bus.shed == (Load.NBL,)
    assert run(obey(bot, SetMode(FSMState.ACTIVE)), 1.0).bus.granted_w[Load.NBL] == 20.0


@pytest.mark.parametrize("order", [Cruise(0.5), Turn(10.0), FireThruster(Axis.UP, 1.0, 1.0)])
def test_a_docked_vehicle_does_not_thrust(order: Order):
    bot = obey(vehicle(), EngageDock(Port.A))
    assert "docked at port A" in (order.refusal(bot) or "")
    obey(bot, ReleaseDock(), order)


def test_docking_ends_thrust():
    bot = obey(vehicle(), FireThruster(Axis.UP, 1.0, 100.0), EngageDock(Port.B))
    assert run(bot, 1.0).velocity_mps == (0.0, 0.0, 0.0)


def test_one_port_at_a_time():
    bot = obey(vehicle(), EngageDock(Port.A), EngageDock(Port.A))
    assert "release it first" in (EngageDock(Port.B).refusal(bot) or "")


def test_the_dock_supplies_when_latched_and_switched_on_and_no_longer():
    bot = run(obey(vehicle(), SwitchDockPower(on=True)), 3.0)
    assert not bot.bus.dock_connected
    run(obey(bot, EngageDock(Port.A)), 3.0)
    assert bot.bus.sources_w["dock"] > 0.0
    run(obey(bot, ReleaseDock()), 1.0)
    assert bot.bus.sources_w["dock"] == 0.0
    run(obey(bot, EngageDock(Port.A)), 3.0)
    assert not bot.bus.dock_connected


def test_the_transponder_obeys_and_is_off_when_shed():
    bot = run(obey(vehicle(), SetTransponder(TransponderMode.SPOOF)), 1.0)
    assert bot.transponder.mode is TransponderMode.SPOOF
    dark = run(obey(vehicle(weak(15.0, 60.0)), SetTransponder(TransponderMode.SPOOF)), 1.0)
    assert not dark.transponder.allowed
    assert dark.transponder.mode is TransponderMode.OFF


def test_a_weak_battery_takes_the_radar_away_and_says_why():
    bot = run(vehicle(weak(15.0, 75.0)), 1.0)
    assert bot.bus.shed == (Load.RADAR,)
    assert bot.radar_off_reason == "the radar is shed: BATTERY_LOW"


def test_a_vehicle_without_a_radar_says_so():
    bot = run(vehicle(BotParameters(sensors=SensorParameters(fitted=(SensorKind.IMU,)))), 1.0)
    assert bot.radar_off_reason == "no radar is fitted"


def test_the_nbl_draws_what_it_is_allowed():
    bot = run(obey(vehicle(), LimitNbl(35.0), SwitchNbl(on=True)), 1.0)
    assert bot.bus.loads_w["nbl"] == 35.0
    assert run(obey(bot, SwitchNbl(on=False)), 1.0).bus.loads_w["nbl"] == 0.0


def test_a_greedy_nbl_is_shed_alone():
    bot = run(obey(vehicle(), LimitNbl(1000.0), SwitchNbl(on=True)), 1.0)
    assert bot.bus.shed == (Load.NBL,)


def hot(node: Node) -> BotParameters:
    table = ThermalParameters()
    nodes = table.nodes | {node: table.nodes[node].model_copy(update={"start_c": 150.0})}
    return BotParameters(thermal=table.model_copy(update={"nodes": nodes}))


def test_heat_takes_what_heats():
    core = run(obey(vehicle(hot(Node.CORE)), SwitchNbl(on=True)), 0.2)
    assert core.bus.granted_w[Load.NBL] == 0.0
    assert "THERMAL_TRIP:core" in core.faults
    hull = run(obey(vehicle(hot(Node.HULL)), FireThruster(Axis.UP, 1.0, 10.0)), 0.2)
    assert hull.bus.granted_w[Load.RCS] == 0.0
    bridge = run(obey(vehicle(hot(Node.DOCK_BRIDGE)), EngageDock(Port.A), SwitchDockPower(on=True)), 0.2)
    assert not bridge.bus.dock_connected


def test_no_propellant_no_pulse():
    bot = vehicle(BotParameters(propulsion=PropulsionParameters(propellant_kg=0.0)))
    assert FireThruster(Axis.UP, 1.0, 1.0).refusal(bot) == "no propellant is left"
    assert FireThruster(Axis.UP, 0.0, 1.0).refusal(bot) is None


def test_work_loads_the_computer_after_a_while():
    bot = run(vehicle(), 60.0)
    assert bot.mcqpu.use_pct == pytest.approx(8.0 + 18.0 + 3.0)
    run(obey(bot, Cruise(1.0)), 2.0)
    assert bot.mcqpu.use_pct == pytest.approx(29.0 + 28.0 * (1.0 - math.exp(-1.0)), rel=1e-3)
    assert bot.bus.loads_w["mcqpu"] == pytest.approx(0.35 * bot.mcqpu.use_pct, rel=0.02)
