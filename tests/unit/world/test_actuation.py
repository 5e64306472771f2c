"""Actuator commands to a world: their outcome, their effect, and which actuators would obey."""

from uuid import UUID

import pytest

from qiki.botspec.actuators import ACTUATORS, ActuatorFamily
from qiki.botspec.planes import BotParameters
from qiki.contracts.actuators import ActuatorCommand
from qiki.contracts.enums import CommandType, FSMState
from qiki.world.actuation import actuator_refusals, submit_command, takes_effect
from qiki.world.scenario import load_scenario
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


def test_every_actuator_is_listed_with_the_refusal_that_a_command_would_get(world: SimWorld):
    assert list(actuator_refusals(world)) == [(actuator, None) for actuator in ACTUATORS]
    submit_command(world, SAFE_MODE)
    world.tick()
    obeying = {actuator.family for actuator, refusal in actuator_refusals(world) if refusal is None}
    assert obeying == {ActuatorFamily.SYSTEM}


def test_the_answer_says_when_the_simulation_is_held():
    assert takes_effect("") == "takes effect at the next tick"
    assert takes_effect("paused") == "takes effect at the next tick (the simulation is paused)"
