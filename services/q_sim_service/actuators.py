"""Actuator commands read into orders.

`motor_left` and `motor_right` drive the vehicle as one: SET_VELOCITY sets the speed that the cruise drive holds along
the heading, in percent of its greatest, and ROTATE turns the heading, clockwise when positive. A thruster `rcs_AXIS`
pushes the vehicle towards AXIS at SET_VELOCITY percent for `timeout_ms`. `system_controller` takes the agent's state:
ERROR_STATE is safe mode.
"""

from collections.abc import Callable

from generated.actuator_raw_out_pb2 import ActuatorCommand
from generated.common_types_pb2 import DEGREES, PERCENT, UNIT_UNSPECIFIED, Unit
from qiki.botspec.actuators import ActuatorFamily, ActuatorKind, find_actuator
from qiki.contracts.enums import CommandType, FSMState
from qiki.world.errors import OrderError
from qiki.world.vehicle.axes import Axis
from qiki.world.vehicle.orders import Cruise, FireThruster, Order, SetMode, Turn

FULL_TURN_DEG = 360.0


def read_order(command: ActuatorCommand) -> Order:
    """The order that a command gives.

    Raises:
        OrderError: an unknown actuator, a command type or value that it does not take, or one out of range.
    """
    identity = command.actuator_id.value
    actuator = find_actuator(identity)
    if actuator is None:
        raise OrderError(f"unknown actuator {identity!r}" if identity else "the command names no actuator")
    reader = _READERS.get((actuator.family, command.command_type))
    if reader is None:
        expected = " or ".join(kind.name for kind in actuator.commands)
        raise OrderError(f"{actuator.role} does not take {_type_name(command)} (expected {expected})")
    return reader(actuator.role, command)


def plain_order(actuator: ActuatorKind) -> Order:
    """The plainest order that an actuator is there for: what refuses it leaves the actuator without use."""
    match actuator.family:
        case ActuatorFamily.MOTOR:
            return Turn(1.0)
        case ActuatorFamily.RCS:
            return FireThruster(_axis(actuator.role), 0.01, 0.05)
        case ActuatorFamily.SYSTEM:
            return SetMode(FSMState.IDLE)


def _cruise(_: str, command: ActuatorCommand) -> Order:
    return Cruise(_number(command, PERCENT, 0.0, 100.0) / 100.0)


def _turn(_: str, command: ActuatorCommand) -> Order:
    return Turn(_number(command, DEGREES, -FULL_TURN_DEG, FULL_TURN_DEG))


def _fire(role: str, command: ActuatorCommand) -> Order:
    if command.timeout_ms < 0:
        raise OrderError(f"timeout_ms is {command.timeout_ms} (expected 0 or more)")
    percent = _number(command, PERCENT, 0.0, 100.0)
    return FireThruster(_axis(role), percent / 100.0, command.timeout_ms / 1000.0)


def _set_mode(_: str, command: ActuatorCommand) -> Order:
    kind = command.WhichOneof("command_value")
    if kind != "int_value":
        raise OrderError(f"SET_MODE with {kind or 'no value'} (expected int_value, an FSMStateEnum)")
    try:
        mode = FSMState(command.int_value)
    except ValueError:
        mode = FSMState.FSM_STATE_UNSPECIFIED
    if mode is FSMState.FSM_STATE_UNSPECIFIED:
        raise OrderError(f"mode {command.int_value} does not exist (expected 1 to 5, an FSMStateEnum)")
    return SetMode(mode)


_READERS: dict[tuple[ActuatorFamily, int], Callable[[str, ActuatorCommand], Order]] = {
    (ActuatorFamily.MOTOR, CommandType.SET_VELOCITY): _cruise,
    (ActuatorFamily.MOTOR, CommandType.ROTATE): _turn,
    (ActuatorFamily.RCS, CommandType.SET_VELOCITY): _fire,
    (ActuatorFamily.SYSTEM, CommandType.SET_MODE): _set_mode,
}


def _axis(role: str) -> Axis:
    return Axis(role.partition("_")[2])


def _number(command: ActuatorCommand, unit: Unit.ValueType, low: float, high: float) -> float:
    kind = command.WhichOneof("command_value")
    if kind == "float_value":
        value = command.float_value
    elif kind == "int_value":
        value = float(command.int_value)
    else:
        raise OrderError(f"{_type_name(command)} with {kind or 'no value'} (expected float_value or int_value)")
    if command.unit not in {UNIT_UNSPECIFIED, unit}:
        raise OrderError(f"unit is {_unit_name(command.unit)} (expected {_unit_name(unit)})")
    if not low <= value <= high:  # not a number is in no range
        raise OrderError(f"value is {value:g} (expected {low:g} to {high:g})")
    return value


def _type_name(command: ActuatorCommand) -> str:
    names = {int(kind): kind.name for kind in CommandType}
    return names.get(command.command_type, f"command type {command.command_type}")


def _unit_name(unit: Unit.ValueType) -> str:
    return Unit.Name(unit) if unit in Unit.values() else str(unit)
