"""Actuator commands to a world: their outcome, their effect, and which actuators would obey."""

from uuid import UUID

import pytest

from qiki.botspec.actuators import ACTUATORS, ActuatorFamily
from qiki.botspec.planes import BotParameters
from qiki.contracts.actuators import ActuatorCommand
from qiki.contracts.enums import CommandType, FSMState
from qiki.world.actuation import actuator_refusals, submit_command, takes_effect
from qiki.world.errors import OrderError
from qiki.world.scenario import load_scenario
from qiki.world.vehicle.axes import Axis
from qiki.world.vehicle.orders import FireThruster
from qiki.world.world import SimWorld

SAFE_MODE = ActuatorCommand("system_controller", CommandType.SET_MODE, FSMState.ERROR_STATE)


@pytest.fixture
def world() -> SimWorld:
    return SimWorld(load_scenario("empty"), BotParameters(), 1, UUID(int=1))


def test_an_accepted_command_takes_effect_at_the_next_tick(world: SimWorld):
    world.tick()
    outcome = submit_command(world, SAFE_MODE)
    assert (outcome.accepted, outcome.message, outcome.actuator) == (True, "accepted", "system_controller")
    assert (outcome.run_id, outcome.ts_epoch) == (str(world.run_id), world.timestamp.timestamp())
    assert outcome.command_id is None
    assert not world.vehicle.safe_mode
    world.tick()
    assert world.vehicle.safe_mode


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (ActuatorCommand("rudder", CommandType.ROTATE, 1.0), "unknown actuator 'rudder'"),
        (ActuatorCommand("motor_left", CommandType.ROTATE, 1.0), "the vehicle is in safe mode: set another mode first"),
    ],
    ids=["invalid", "barred"],
)
def test_a_refused_command_has_the_reason_and_no_effect(world: SimWorld, command: ActuatorCommand, reason: str):
    submit_command(world, SAFE_MODE)
    world.tick()
    outcome = submit_command(world, command)
    assert (outcome.accepted, outcome.message) == (False, reason)
    assert world.tick().events == ()


@pytest.mark.parametrize(
    ("identity", "shown"), [("x" * 60_000, "x" * 64 + "…"), ("\x1b[2J\u202e", "\\x1b[2J\\u202e"), ("рули", "рули")]
)
def test_the_outcome_holds_no_long_id_and_none_that_a_terminal_obeys(world: SimWorld, identity: str, shown: str):
    outcome = submit_command(world, ActuatorCommand(identity, CommandType.ROTATE, 1.0))
    assert (outcome.accepted, outcome.actuator) == (False, shown)
    assert len(outcome.message) < 200


@pytest.mark.parametrize("duration_s", [600.001, 2147483.647, float("inf")])
def test_a_pulse_without_end_is_refused_in_one_process_too(world: SimWorld, duration_s: float):
    with pytest.raises(OrderError, match=r"is too long \(expected 0 to 600 s\)"):
        world.submit(FireThruster(Axis.UP, 1.0, duration_s))
    world.submit(FireThruster(Axis.UP, 1.0, 600.0))


def test_every_actuator_is_listed_with_the_refusal_that_a_command_would_get(world: SimWorld):
    assert list(actuator_refusals(world)) == [(actuator, None) for actuator in ACTUATORS]
    submit_command(world, SAFE_MODE)
    world.tick()
    obeying = {actuator.family for actuator, refusal in actuator_refusals(world) if refusal is None}
    assert obeying == {ActuatorFamily.SYSTEM}


def test_the_answer_says_when_the_simulation_is_held():
    assert takes_effect("") == "takes effect at the next tick"
    assert takes_effect("paused") == "takes effect at the next tick (the simulation is paused)"
