"""Actuator commands as orders to the vehicle, and the readiness of its actuators.

`motor_left` and `motor_right` drive the vehicle as one: SET_VELOCITY sets the speed that the cruise drive holds along
the heading, in percent of its greatest, and ROTATE turns the heading, clockwise when positive. A thruster `rcs_AXIS`
pushes the vehicle towards AXIS at SET_VELOCITY percent for `timeout_ms`. `system_controller` takes the agent's state:
ERROR_STATE is safe mode.
"""

from collections.abc import Callable, Iterator

from qiki.botspec.actuators import ACTUATORS, MAX_PULSE_S, ActuatorFamily, ActuatorKind, find_actuator
from qiki.contracts.actuators import ActuatorCommand
from qiki.contracts.enums import CommandType, FSMState, Unit
from qiki.contracts.events import ActuatorOutcome
from qiki.contracts.sim import Origin
from qiki.world.errors import OrderError
from qiki.world.vehicle.axes import Axis
from qiki.world.vehicle.orders import Cruise, FireThruster, Order, SetMode, Turn
from qiki.world.world import Giver, SimWorld

MODES = frozenset(FSMState) - {FSMState.FSM_STATE_UNSPECIFIED}
MAX_ID = 64
"""Letters of an actuator's id or role in a command: the longest of the table has 36."""
MAX_PULSE_MS = round(MAX_PULSE_S * 1000)
_TYPES = {int(kind): kind.name for kind in CommandType}
_UNITS = {int(unit): unit.name for unit in Unit}


Submit = Callable[[Order, Giver], object]
"""Gives an order to a world, or raises an OrderError."""


def submit_command(
    world: SimWorld, command: ActuatorCommand, sender: str | None = None, submit: Submit | None = None
) -> ActuatorOutcome:
    """Submit a sender's command, which takes effect at the next tick or, where the scenario has a latency, later.

    `submit` gives the order, instead of the world's own. Return the outcome as an event body.
    """
    giver = Giver(Origin.GRPC, sender or "", _shown(command.command_id) or None)
    try:
        (submit or world.submit_late)(order_of(command), giver)
        reason = None
    except OrderError as error:
        reason = str(error)
    return ActuatorOutcome(
        run_id=str(world.run_id),
        actuator=_shown(command.actuator_id),
        accepted=reason is None,
        message="accepted" if reason is None else reason,
        command_id=giver.message_id,
        ts_epoch=world.timestamp.timestamp(),
    )


def takes_effect(state: str) -> str:
    """Return the answer to an accepted command; `state` is that of a simulation that is held, else empty."""
    return f"takes effect at the next tick{f' (the simulation is {state})' if state else ''}"


def actuator_refusals(world: SimWorld) -> Iterator[tuple[ActuatorKind, str | None]]:
    """Yield every actuator with the reason why it would not obey now; None when it would."""
    return ((actuator, plain_order(actuator).refusal(world.vehicle)) for actuator in ACTUATORS)


def order_of(command: ActuatorCommand) -> Order:
    """Return the order that a command gives; OrderError if the actuator, command type, value or unit is wrong."""
    identity = command.actuator_id
    if not identity:
        raise OrderError("the command names no actuator")
    if len(identity) > MAX_ID:
        raise OrderError(f"the actuator's id has {len(identity)} letters (expected at most {MAX_ID})")
    actuator = find_actuator(identity)
    if actuator is None:
        raise OrderError(f"unknown actuator {identity!r}")
    reader = _READERS.get((actuator.family, command.command_type))
    if reader is None:
        expected = " or ".join(kind.name for kind in actuator.commands)
        raise OrderError(f"{actuator.role} does not take {_type_name(command.command_type)} (expected {expected})")
    return reader(actuator.role, command)


def plain_order(actuator: ActuatorKind) -> Order:
    """Return a harmless order of the kind that an actuator is for: when it is refused, the actuator is not ready."""
    match actuator.family:
        case ActuatorFamily.MOTOR:
            return Turn(1.0)
        case ActuatorFamily.RCS:
            return FireThruster(_axis(actuator.role), 0.01, 0.05)
        case ActuatorFamily.SYSTEM:
            return SetMode(FSMState.IDLE)


def _fire(role: str, command: ActuatorCommand) -> Order:
    if not 0 <= command.timeout_ms <= MAX_PULSE_MS:
        raise OrderError(f"timeout_ms is {command.timeout_ms} (expected 0 to {MAX_PULSE_MS})")
    return FireThruster(_axis(role), _fraction(command), command.timeout_ms / 1000.0)


def _set_mode(_: str, command: ActuatorCommand) -> Order:
    value = command.value
    if isinstance(value, bool) or not isinstance(value, int):
        raise OrderError(f"SET_MODE with {command.value_field or 'no value'} (expected int_value, an FSMStateEnum)")
    if value not in MODES:
        raise OrderError(f"mode {value} does not exist (expected 1 to 5, an FSMStateEnum)")
    return SetMode(FSMState(value))


_READERS: dict[tuple[ActuatorFamily, int], Callable[[str, ActuatorCommand], Order]] = {
    (ActuatorFamily.MOTOR, CommandType.SET_VELOCITY): lambda _, command: Cruise(_fraction(command)),
    (ActuatorFamily.MOTOR, CommandType.ROTATE): lambda _, command: Turn(_number(command, Unit.DEGREES, -360.0, 360.0)),
    (ActuatorFamily.RCS, CommandType.SET_VELOCITY): _fire,
    (ActuatorFamily.SYSTEM, CommandType.SET_MODE): _set_mode,
}


def _shown(identity: str) -> str:
    """Return an id for an event: a part of one that is too long, and no character that a terminal obeys."""
    part = identity if len(identity) <= MAX_ID else f"{identity[:MAX_ID]}…"
    return part if part.isprintable() else repr(part)[1:-1]


def _axis(role: str) -> Axis:
    return Axis(role.partition("_")[2])


def _fraction(command: ActuatorCommand) -> float:
    return _number(command, Unit.PERCENT, 0.0, 100.0) / 100.0


def _number(command: ActuatorCommand, unit: Unit, low: float, high: float) -> float:
    value = command.value
    if isinstance(value, bool) or not isinstance(value, int | float):
        kind = command.value_field or "no value"
        raise OrderError(f"{_type_name(command.command_type)} with {kind} (expected float_value or int_value)")
    if command.unit not in {Unit.UNIT_UNSPECIFIED, unit}:
        raise OrderError(f"unit is {_UNITS.get(command.unit, command.unit)} (expected {unit.name})")
    if not low <= value <= high:  # not a number is in no range
        raise OrderError(f"value is {value:g} (expected {low:g} to {high:g})")
    return float(value)


def _type_name(command_type: int) -> str:
    return _TYPES.get(command_type, f"command type {command_type}")
