"""Actuator commands as orders."""

import pytest

from qiki.botspec.actuators import ACTUATORS, ActuatorKind
from qiki.contracts.actuators import ActuatorCommand as Command
from qiki.contracts.enums import CommandType, FSMState, Unit
from qiki.world.actuation import order_of
from qiki.world.errors import OrderError
from qiki.world.vehicle.axes import Axis
from qiki.world.vehicle.orders import Cruise, FireThruster, SetMode, Turn


@pytest.mark.parametrize("motor", ["motor_left", "motor_right"])
def test_motors_drive_and_turn(motor: str):
    assert order_of(Command(motor, CommandType.SET_VELOCITY, 25.0, Unit.PERCENT)) == Cruise(0.25)
    assert order_of(Command(motor, CommandType.ROTATE, -90, Unit.DEGREES)) == Turn(-90.0)


@pytest.mark.parametrize("axis", list(Axis))
def test_thrusters_fire_for_their_timeout(axis: Axis):
    order = order_of(Command(f"rcs_{axis}", CommandType.SET_VELOCITY, 50.0, timeout_ms=1500))
    assert order == FireThruster(axis, 0.5, 1.5)


def test_a_thruster_without_a_timeout_stops():
    order = order_of(Command("rcs_up", CommandType.SET_VELOCITY, 50.0))
    assert order == FireThruster(Axis.UP, 0.5, 0.0)


def test_the_longest_pulse_is_accepted():
    order = order_of(Command("rcs_up", CommandType.SET_VELOCITY, 50.0, timeout_ms=600_000))
    assert order == FireThruster(Axis.UP, 0.5, 600.0)


@pytest.mark.parametrize("mode", [1, 2, 3, 4, 5])
def test_the_system_controller_takes_modes(mode: int):
    order = order_of(Command("system_controller", CommandType.SET_MODE, mode))
    assert order == SetMode(FSMState(mode))


@pytest.mark.parametrize("actuator", ACTUATORS, ids=lambda actuator: actuator.role)
def test_a_uuid_is_as_good_as_a_role(actuator: ActuatorKind):
    kind, value = (5, 2) if actuator.role == "system_controller" else (1, 10)
    by_role = order_of(Command(actuator.role, kind, value, timeout_ms=10))
    for name in (str(actuator.id), str(actuator.id).upper()):
        assert order_of(Command(name, kind, value, timeout_ms=10)) == by_role


@pytest.mark.parametrize("actuator", ACTUATORS, ids=lambda actuator: actuator.role)
def test_an_actuator_takes_what_the_table_says_and_nothing_else(actuator: ActuatorKind):
    for kind in CommandType:
        empty = Command(actuator.role, kind)
        with pytest.raises(OrderError) as refusal:
            order_of(empty)
        assert ("does not take" in str(refusal.value)) is (kind not in actuator.commands)


SET_VELOCITY, ROTATE, SET_MODE = CommandType.SET_VELOCITY, CommandType.ROTATE, CommandType.SET_MODE


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (Command("", 0), "the command names no actuator"),
        (Command("rudder", SET_VELOCITY, 1.0), "unknown actuator 'rudder'"),
        (Command("motor_left", 0, 1.0), "motor_left does not take COMMAND_TYPE_UNSPECIFIED"),
        (Command("motor_left", SET_MODE, 4), "expected SET_VELOCITY or ROTATE"),
        (Command("motor_left", CommandType.ENABLE, True), "motor_left does not take ENABLE"),
        (Command("rcs_up", ROTATE, 1.0), "rcs_up does not take ROTATE"),
        (Command("rcs_up", 17, 1.0), "rcs_up does not take command type 17"),
        (Command("motor_left", SET_VELOCITY), "SET_VELOCITY with no value"),
        (Command("motor_left", SET_VELOCITY, True), "SET_VELOCITY with bool_value"),
        (Command("motor_left", SET_VELOCITY, (0.0, 0.0, 0.0)), "SET_VELOCITY with vector_value"),
        (Command("motor_left", SET_VELOCITY, 100.5), "value is 100.5 (expected 0 to 100)"),
        (Command("motor_left", SET_VELOCITY, -1), "value is -1 (expected 0 to 100)"),
        (Command("motor_left", SET_VELOCITY, float("nan")), "value is nan"),
        (Command("motor_left", ROTATE, float("inf")), "value is inf (expected -360 to 360)"),
        (Command("motor_left", SET_VELOCITY, 1.0, Unit.METERS), "unit is METERS (expected PERCENT)"),
        (Command("motor_left", ROTATE, 1.0, Unit.PERCENT), "unit is PERCENT (expected DEGREES)"),
        (Command("rcs_up", SET_VELOCITY, 1.0, timeout_ms=-1), "timeout_ms is -1"),
        (Command("rcs_up", SET_VELOCITY, 1.0, timeout_ms=600_001), "timeout_ms is 600001 (expected 0 to 600000)"),
        (Command("rcs_up", SET_VELOCITY, 1.0, timeout_ms=2**31 - 1), "expected 0 to 600000"),
        (Command("x" * 65, SET_VELOCITY, 1.0), "the actuator's id has 65 letters (expected at most 64)"),
        (Command("\x1b[2J", SET_VELOCITY, 1.0), "unknown actuator '\\x1b[2J'"),
        (Command("system_controller", SET_MODE), "SET_MODE with no value"),
        (Command("system_controller", SET_MODE, 4.0), "SET_MODE with float_value"),
        (Command("system_controller", SET_MODE, 0), "mode 0 does not exist"),
        (Command("system_controller", SET_MODE, 6), "mode 6 does not exist"),
        (Command("motor_left", SET_VELOCITY, 1.0, 77), "unit is 77 (expected PERCENT)"),
    ],
)
def test_what_will_not_act_is_refused_with_the_reason(wrong: Command, reason: str):
    with pytest.raises(OrderError) as refusal:
        order_of(wrong)
    assert reason in str(refusal.value)
    assert "\n" not in str(refusal.value)
