"""The list of actuators: the answer that a command to each would get; listing changes nothing."""

import asyncio
from collections.abc import Callable

import pytest

from generated import q_sim_api_pb2 as api
from q_sim_service.nats_publisher import NatsPublisher
from q_sim_service.runs import run_ids
from q_sim_service.server import Rpc
from q_sim_service.ticker import Ticker
from qiki.botspec.actuators import ACTUATORS, ActuatorFamily
from qiki.botspec.planes import BotParameters, Port, PowerParameters, PropulsionParameters
from qiki.contracts.enums import FSMState
from qiki.runtime.events import Events
from qiki.world.actuation import plain_order
from qiki.world.errors import OrderError
from qiki.world.scenario import Scenario
from qiki.world.simulator import Setup, Simulator
from qiki.world.vehicle.orders import EngageDock, Order, SetMode, StopThrusters

EMPTY = Scenario(name="empty", description="nothing there")
Vessel = tuple[Ticker, Rpc, Events]


@pytest.fixture
def vessel() -> Callable[..., Vessel]:
    """A vehicle that was given orders, which it has obeyed."""

    def make(parameters: BotParameters | None = None, *orders: Order) -> Vessel:
        events = Events("test")
        setup = Setup(parameters or BotParameters(), 5000.0, None, lambda _: EMPTY)
        ticker = Ticker(Simulator(setup, EMPTY, run_ids(None)), lambda: 0.0, NatsPublisher(events))
        for order in orders:
            ticker.world.submit(order)
        ticker.world.tick()
        return ticker, Rpc(ticker, events), events

    return make


def listed(rpc: Rpc) -> dict[str, api.ActuatorState]:
    answer = asyncio.run(rpc.ListActuators(api.ListActuatorsRequest(), None))
    return {state.role: state for state in answer.actuators}


def ready(rpc: Rpc) -> set[ActuatorFamily]:
    return {actuator.family for actuator in ACTUATORS if listed(rpc)[actuator.role].ready}


def test_every_actuator_of_the_table_is_listed_and_ready(vessel: Callable[..., Vessel]):
    _, rpc, _ = vessel()
    states = listed(rpc)
    assert {role: state.actuator_id.value for role, state in states.items()} == {
        actuator.role: str(actuator.id) for actuator in ACTUATORS
    }
    assert {(state.ready, state.message) for state in states.values()} == {(True, "")}


@pytest.mark.parametrize(
    ("parameters", "orders", "usable"),
    [
        (None, [SetMode(FSMState.ERROR_STATE)], {ActuatorFamily.SYSTEM}),
        (None, [EngageDock(Port.A)], {ActuatorFamily.SYSTEM}),
        (
            BotParameters(propulsion=PropulsionParameters(propellant_kg=0.0)),
            [],
            {ActuatorFamily.SYSTEM, ActuatorFamily.MOTOR},
        ),
        (
            BotParameters(power=PowerParameters(base_source_w=20.0, soc_shed_low_pct=85.0, soc_shed_high_pct=90.0)),
            [],
            {ActuatorFamily.SYSTEM, ActuatorFamily.MOTOR},
        ),
    ],
    ids=["safe mode", "docked", "no propellant", "no power for thrusters"],
)
def test_the_answer_to_a_command_is_listed(
    vessel: Callable[..., Vessel],
    parameters: BotParameters | None,
    orders: list[Order],
    usable: set[ActuatorFamily],
):
    ticker, rpc, _ = vessel(parameters, *orders)
    assert ready(rpc) == usable
    for actuator in ACTUATORS:
        message = listed(rpc)[actuator.role].message
        if message:
            with pytest.raises(OrderError) as refusal:
                ticker.world.submit(plain_order(actuator))
            assert str(refusal.value) == message


@pytest.mark.parametrize(
    ("order", "safe"),
    [(SetMode(FSMState.ERROR_STATE), True), (SetMode(FSMState.IDLE), False), (StopThrusters(), False)],
)
def test_the_list_says_whether_the_vehicle_is_in_safe_mode(vessel: Callable[..., Vessel], order: Order, safe: bool):
    _, rpc, _ = vessel(None, order)
    answer = asyncio.run(rpc.ListActuators(api.ListActuatorsRequest(), None))
    assert answer.HasField("safe_mode")
    assert answer.safe_mode is safe


def test_listing_moves_nothing_and_emits_no_event(vessel: Callable[..., Vessel]):
    ticker, rpc, events = vessel()
    before, heading_deg = len(events), ticker.world.vehicle.drive.heading_deg
    listed(rpc)
    for _ in range(40):
        ticker.world.tick()
    vehicle = ticker.world.vehicle
    assert (vehicle.velocity_mps, vehicle.drive.heading_deg) == ((0.0, 0.0, 0.0), heading_deg)
    assert vehicle.thrusters.throttle == 0
    assert len(events) == before
