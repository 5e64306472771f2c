"""The inputs of a run are published: its description, and each order with the tick at which it takes effect."""

import pytest

from generated import common_types_pb2 as common
from generated import q_sim_api_pb2 as api
from generated.actuator_raw_out_pb2 import ActuatorCommand, CommandType
from qiki.contracts import topics
from qiki.world.inputs import read_inputs, read_order
from qiki.world.scenario import load_scenario
from qiki.world.vehicle.axes import Axis
from qiki.world.vehicle.orders import Cruise, FireThruster, StopThrusters


@pytest.fixture
def held(own_twin):
    """A world that only steps move, with no agent that gives orders."""
    return own_twin("collision", start=False, without=("qiki-dev",))


def cruise(twin, percent: float, command_id: str) -> bool:
    command = ActuatorCommand(
        actuator_id=common.UUID(value="motor_left"),
        command_type=CommandType.SET_VELOCITY,
        float_value=percent,
        command_id=common.UUID(value=command_id),
    )
    return bool(twin.sim.SendActuatorCommand(api.SendActuatorCommandRequest(command=command), timeout=20).accepted)


def test_a_run_is_described_and_its_orders_have_their_ticks(held):
    twin = held
    described = twin.await_message(topics.RUNS).data
    assert read_inputs(described).scenario == load_scenario("collision")
    fire = {"axis": "up", "pct": 40.0, "duration_s": 1.0}
    assert twin.command("sim.rcs.fire", **fire).ok
    twin.step(3)
    assert not twin.command("sim.rcs.fire", **(fire | {"axis": "sideways"})).ok
    assert cruise(twin, 50.0, "11111111-2222-4333-8444-555555555566")
    assert twin.command("sim.rcs.stop").ok
    twin.step(2)

    last = twin.await_message(topics.ORDERS, lambda order: order.number == 2)
    assert last.message_id == f"{described.run_id}:order:2"
    orders = [record.data for record in twin.history(topics.ORDERS)]
    assert [(one.tick, read_order(one)) for one in orders] == [
        (0, FireThruster(Axis.UP, 0.4, 1.0)), (3, Cruise(0.5)), (3, StopThrusters())
    ]  # fmt: skip
    assert [one.origin for one in orders] == ["control", "grpc", "control"]
    assert orders[1].sender == "tests"
    assert orders[1].message_id == "11111111-2222-4333-8444-555555555566"
    assert all(one.message_id for one in orders)
    assert {one.run_id for one in orders} == {described.run_id}

    assert twin.command("sim.reset", scenario="crossing", seed=9).ok
    again = twin.await_message(topics.RUNS, seed=9).data
    assert again.run_id != described.run_id
    assert again.scenario["name"] == "crossing"
    assert twin.command("sim.rcs.stop").ok
    twin.step(2)
    first = twin.await_message(topics.ORDERS, run_id=again.run_id).data
    assert (first.tick, first.number) == (0, 0)


def test_orders_that_are_given_while_the_broker_is_away_are_published_when_it_is_back(held):
    twin = held
    twin.await_message(topics.RUNS)
    assert twin.command("sim.start").ok
    for number in range(12):
        if number == 4:
            twin.kill("nats")
        assert cruise(twin, float(number), "")
    twin.await_message(topics.ORDERS, lambda order: order.number == 11)
    orders = [record.data for record in twin.history(topics.ORDERS)]
    assert [one.number for one in orders] == list(range(12))
    assert [read_order(one) for one in orders] == [Cruise(number / 100) for number in range(12)]
    ticks = [one.tick for one in orders]
    assert ticks == sorted(ticks)


def test_telemetry_and_the_agents_state_are_kept(own_twin):
    twin = own_twin("empty", env={"TELEMETRY_INTERVAL_SEC": "0.1"})
    twin.await_until("both are kept", lambda: len(twin.telemetry()) > 5 and twin.agent_states())
    assert all(record.sequence > 0 for record in (*twin.telemetry(), *twin.agent_states()))
    info = twin.jetstream(lambda jetstream: jetstream.stream_info(topics.QIKI_STATE_V1, subjects_filter=">"))
    assert {topics.TELEMETRY.subject, topics.AGENT_STATE.subject, topics.RUNS.subject} <= info.state.subjects.keys()
