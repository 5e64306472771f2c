"""Actuator commands."""

from typing import Any

import pytest

from generated import common_types_pb2
from generated.actuator_raw_out_pb2 import ActuatorCommand
from generated.common_types_pb2 import DEGREES, METERS, PERCENT, Vector3
from q_sim_service.actuators import read_order
from qiki.botspec.actuators import ACTUATORS, ActuatorKind
from qiki.contracts.enums import CommandType, FSMState
from qiki.world.errors import OrderError
from qiki.world.vehicle.axes import Axis
from qiki.world.vehicle.orders import Cruise, FireThruster, SetMode, Turn


def command(actuator: str, kind: int, **fields: Any) -> ActuatorCommand:
    return ActuatorCommand(actuator_id=common_types_pb2.UUID(value=actuator), command_type=kind, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize("motor", ["motor_left", "motor_right"])
def test_motors_drive_and_turn(motor: str):
    assert read_order(command(motor, CommandType.SET_VELOCITY, float_value=25.0, unit=PERCENT)) == Cruise(0.25)
    assert read_order(command(motor, CommandType.ROTATE, int_value=-90, unit=DEGREES)) == Turn(-90.0)


@pytest.mark.parametrize("axis", list(Axis))
def test_thrusters_fire_for_their_timeout(axis: Axis):
    order = read_order(command(f"rcs_{axis}", CommandType.SET_VELOCITY, float_value=50.0, timeout_ms=1500))
    assert order == FireThruster(axis, 0.5, 1.5)


def test_a_thruster_without_a_timeout_stops():
    order = read_order(command("rcs_up", CommandType.SET_VELOCITY, float_value=50.0))
    assert order == FireThruster(Axis.UP, 0.5, 0.0)


@pytest.mark.parametrize("mode", [1, 2, 3, 4, 5])
def test_the_system_controller_takes_modes(mode: int):
    order = read_order(command("system_controller", CommandType.SET_MODE, int_value=mode))
    assert order == SetMode(FSMState(mode))


@pytest.mark.parametrize("actuator", ACTUATORS, ids=lambda actuator: actuator.role)
def test_a_uuid_is_as_good_as_a_role(actuator: ActuatorKind):
    kind, value = (5, 2) if actuator.role == "system_controller" else (1, 10)
    by_role = read_order(command(actuator.role, kind, int_value=value, timeout_ms=10))
    for name in (str(actuator.id), str(actuator.id).upper()):
        assert read_order(command(name, kind, int_value=value, timeout_ms=10)) == by_role


@pytest.mark.parametrize("actuator", ACTUATORS, ids=lambda actuator: actuator.role)
def test_an_actuator_takes_what_the_table_says_and_nothing_else(actuator: ActuatorKind):
    for kind in CommandType:
        empty = command(actuator.role, kind)
        with pytest.raises(OrderError) as refusal:
            read_order(empty)
        assert ("does not take" in str(refusal.value)) is (kind not in actuator.commands)


SET_VELOCITY, ROTATE, SET_MODE = CommandType.SET_VELOCITY, CommandType.ROTATE, CommandType.SET_MODE


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (ActuatorCommand(), "the command names no actuator"),
        (command("rudder", SET_VELOCITY, float_value=1.0), "unknown actuator 'rudder'"),
        (command("motor_left", 0, float_value=1.0), "motor_left does not take COMMAND_TYPE_UNSPECIFIED"),
        (command("motor_left", SET_MODE, int_value=4), "expected SET_VELOCITY or ROTATE"),
        (command("motor_left", CommandType.ENABLE, bool_value=True), "motor_left does not take ENABLE"),
        (command("rcs_up", ROTATE, float_value=1.0), "rcs_up does not take ROTATE"),
        (command("rcs_up", 17, float_value=1.0), "rcs_up does not take command type 17"),
        (command("motor_left", SET_VELOCITY), "SET_VELOCITY with no value"),
        (command("motor_left", SET_VELOCITY, bool_value=True), "SET_VELOCITY with bool_value"),
        (command("motor_left", SET_VELOCITY, vector_value=Vector3()), "SET_VELOCITY with vector_value"),
        (command("motor_left", SET_VELOCITY, float_value=100.5), "value is 100.5 (expected 0 to 100)"),
        (command("motor_left", SET_VELOCITY, int_value=-1), "value is -1 (expected 0 to 100)"),
        (command("motor_left", SET_VELOCITY, float_value=float("nan")), "value is nan"),
        (command("motor_left", ROTATE, float_value=float("inf")), "value is inf (expected -360 to 360)"),
        (command("motor_left", SET_VELOCITY, float_value=1.0, unit=METERS), "unit is METERS (expected PERCENT)"),
        (command("motor_left", ROTATE, float_value=1.0, unit=PERCENT), "unit is PERCENT (expected DEGREES)"),
        (command("rcs_up", SET_VELOCITY, float_value=1.0, timeout_ms=-1), "timeout_ms is -1"),
        (command("system_controller", SET_MODE), "SET_MODE with no value"),
        (command("system_controller", SET_MODE, float_value=4.0), "SET_MODE with float_value"),
        (command("system_controller", SET_MODE, int_value=0), "mode 0 does not exist"),
        (command("system_controller", SET_MODE, int_value=6), "mode 6 does not exist"),
    ],
)
def test_what_will_not_act_is_refused_with_the_reason(wrong: ActuatorCommand, reason: str):
    with pytest.raises(OrderError) as refusal:
        read_order(wrong)
    assert reason in str(refusal.value)
    assert "\n" not in str(refusal.value)
