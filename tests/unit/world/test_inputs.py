"""A run's inputs as they are published: from them it is flown again."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from pydantic import ValidationError

from qiki.botspec import generate, load_spec
from qiki.botspec.planes import BotParameters, PowerParameters
from qiki.contracts.actuators import ActuatorCommand
from qiki.contracts.enums import CommandType, FSMState, TransponderMode, Unit
from qiki.contracts.headers import Message
from qiki.contracts.sim import Origin, SimOrder, SimRun
from qiki.world.actuation import submit_command
from qiki.world.errors import OrderError
from qiki.world.inputs import order_body, order_message, read_inputs, read_order, run_message
from qiki.world.scenario import load_scenario, scenario_names
from qiki.world.vehicle import orders
from qiki.world.vehicle.axes import Axis
from qiki.world.vehicle.orders import Order
from qiki.world.world import GivenOrder, Giver, SimWorld

RUN = UUID("5ca1ab1e-0000-4000-8000-000000000007")
EACH: list[Order] = [
    orders.FireThruster(Axis.PORT, 0.1 + 0.2, 1 / 3),
    orders.StopThrusters(),
    orders.Cruise(0.7),
    orders.Turn(-12.5),
    orders.SetMode(FSMState.ERROR_STATE),
    orders.SetTransponder(TransponderMode.SPOOF),
    orders.EngageDock("B"),
    orders.ReleaseDock(),
    orders.SwitchDockPower(on=True),
    orders.SwitchNbl(on=False),
    orders.LimitNbl(123.4),
    orders.Fork(RUN, seed=2**62, scenario=load_scenario("crossing")),
]


def make_world(scenario: str = "collision", seed: int = 3, parameters: BotParameters | None = None) -> SimWorld:
    return SimWorld(load_scenario(scenario), parameters or BotParameters(), seed, RUN, 4000.0)


def again(message: Message, model: Any) -> Any:
    return model.from_json(message.body)


def test_each_order_is_what_it_was_after_the_wire():
    assert {type(order) for order in EACH} == set(orders.KINDS.values())
    for order in EACH:
        given = GivenOrder(7, 2, order, Giver(Origin.GRPC, "qiki-dev", "m-1"))
        body = again(order_message(make_world(), given), SimOrder)
        assert (body.tick, body.number, body.origin, body.sender, body.message_id) == (7, 2, "grpc", "qiki-dev", "m-1")
        assert read_order(body) == order


@pytest.mark.parametrize(
    ("order", "parameters", "fault"),
    [
        ("rcs.explode", {}, "unknown order 'rcs.explode'"),
        ("rcs.fire", {"axis": "port"}, "rcs.fire: fraction"),
        ("rcs.fire", {"axis": "down the drain", "fraction": 1, "duration_s": 1}, "rcs.fire: axis"),
        ("motion.turn", {"degrees": float("nan")}, "motion.turn: degrees"),
        ("nbl.switch", {"on": "perhaps"}, "nbl.switch: on"),
    ],
)
def test_an_order_that_does_not_exist_is_refused_in_one_line(order: str, parameters: dict[str, Any], fault: str):
    body = SimOrder(run_id=RUN, tick=0, number=0, order="rcs.stop", parameters={}, origin=Origin.CONTROL)
    with pytest.raises(OrderError, match=fault) as refused:
        read_order(body.model_copy(update={"order": order, "parameters": parameters}))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("scenario", scenario_names())
def test_a_described_run_has_the_scenario_and_the_vehicle_that_it_was_made_of(scenario: str):
    parameters = generate(load_spec()).hardware_profile.parameters
    world = make_world(scenario, 11, parameters)
    run = again(run_message(world, 2.0), SimRun)
    assert (run.run_id, run.seed, run.sr_threshold_m, run.speed) == (RUN, 11, 4000.0, 2.0)
    inputs = read_inputs(run)
    assert inputs.scenario == world.scenario
    assert inputs.parameters == parameters


def test_a_description_of_another_version_is_refused():
    run = again(run_message(make_world(), 1.0), SimRun)
    with pytest.raises(ValidationError, match="gravity"):
        read_inputs(run.model_copy(update={"scenario": run.scenario | {"gravity": 9.8}}))


def test_orders_take_effect_at_the_next_tick_in_their_sequence_and_dropped_ones_do_not_count():
    world = make_world("empty")
    world.tick()
    fire = orders.FireThruster(Axis.UP, 0.5, 1.0)
    world.submit(fire, Giver(Origin.CONTROL, "somebody", "m-2"))
    world.submit(orders.EngageDock("A"))
    world.submit(orders.Cruise(0.5))  # impossible behind the one before
    turn = ActuatorCommand("motor_left", CommandType.ROTATE, 5.0, Unit.DEGREES, command_id="c-1")
    assert submit_command(world, turn, "qiki-dev").accepted
    first = world.tick()
    assert [(one.tick, one.number, one.order.name) for one in first.orders] == [
        (1, 0, "rcs.fire"),
        (1, 1, "dock.engage"),
    ]
    assert first.orders[0].giver == Giver(Origin.CONTROL, "somebody", "m-2")
    assert len(first.events) == 2
    world.submit(orders.ReleaseDock())
    assert [(one.tick, one.number) for one in world.tick().orders] == [(2, 2)]
    assert world.tick().orders == ()


def test_a_run_is_flown_again_from_what_was_published():
    first = make_world(
        "mixed-traffic", parameters=BotParameters(power=PowerParameters(soc_shed_low_pct=60.0, soc_shed_high_pct=70.0))
    )
    plan: dict[int, list[Order]] = {
        3: [EACH[0]],
        40: [orders.Turn(30.0), orders.Cruise(1.0)],
        90: [orders.StopThrusters()],
    }
    published = [run_message(first, 1.0)]
    flown = []
    for tick in range(200):
        for order in plan.get(tick, ()):
            first.submit(order)
        done = first.tick()
        published += [order_message(first, given) for given in done.orders]
        flown.append((first.vehicle.position_m, done.frame and done.frame.detections.to_json()))

    run, *given = published
    described = again(run, SimRun)
    inputs = read_inputs(described)
    second = SimWorld(inputs.scenario, inputs.parameters, described.seed, described.run_id, described.sr_threshold_m)
    recorded = [again(message, SimOrder) for message in given]
    assert [(body.tick, body.number) for body in recorded] == [(3, 0), (40, 1), (40, 2), (90, 3)]
    for tick in range(200):
        for body in recorded:
            if body.tick == tick:
                second.submit(read_order(body), Giver(body.origin, body.sender, body.message_id))
        done = second.tick()
        assert (second.vehicle.position_m, done.frame and done.frame.detections.to_json()) == flown[tick]
        assert [order_body(second, one) for one in done.orders] == [one for one in recorded if one.tick == tick]


def test_ids_tell_every_message_of_every_run_apart():
    world = make_world("empty")
    given = [GivenOrder(0, number, orders.StopThrusters(), Giver(Origin.CONTROL)) for number in range(3)]
    other = replace(given[0], tick=5)
    ids = [order_message(world, one).headers["Nats-Msg-Id"] for one in (*given, other)]
    assert len(set(ids)) == 3
    assert run_message(world, 1.0).headers["Nats-Msg-Id"] not in ids
