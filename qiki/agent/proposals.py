"""Proposals of engines: actions of the vehicle's actuators, with a justification and evidence."""

from dataclasses import dataclass

from qiki.contracts.enums import CommandType, FSMState, ProposalType
from qiki.contracts.events import Evidence

PERCENT = "PERCENT"
DEGREES = "DEGREES"


@dataclass(frozen=True, slots=True)
class Action:
    """One actuator command.

    Attributes:
        value: in `unit`; for SET_MODE the number of an FSMState
        unit: name of a `qiki.contracts.enums.Unit`; empty where the command has none
        duration_s: of a thruster's pulse; 0 for other commands
    """

    actuator: str
    command: CommandType
    value: float
    unit: str = ""
    duration_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Proposal:
    """A wish of an engine.

    Attributes:
        justification: why, in one line for people
        priority: 0 to 1, within its type
        confidence: 0 to 1; a proposal below the agent's threshold is refused
        rests_on: the messages behind it; by default the newest of the agent's inputs
        key: identifies a proposal of one engine and tick, for `depends_on` and `conflicts_with`
    """

    actions: tuple[Action, ...]
    justification: str
    type: ProposalType = ProposalType.PLANNING
    priority: float = 0.5
    confidence: float = 1.0
    expected_duration_s: float = 0.0
    rests_on: tuple[Evidence, ...] = ()
    key: str = ""
    depends_on: tuple[str, ...] = ()
    conflicts_with: tuple[str, ...] = ()


def fire(axis: str, percent: float, duration_s: float) -> Action:
    """Push the vehicle towards `axis`: forward, aft, port, starboard, up or down."""
    return Action(f"rcs_{axis}", CommandType.SET_VELOCITY, percent, PERCENT, duration_s)


def cruise(percent: float) -> Action:
    """Hold a speed along the heading, in percent of the drive's greatest."""
    return Action("motor_left", CommandType.SET_VELOCITY, percent, PERCENT)


def turn(degrees: float) -> Action:
    """Turn the heading, clockwise when positive."""
    return Action("motor_left", CommandType.ROTATE, degrees, DEGREES)


def set_mode(state: FSMState) -> Action:
    """Set the vehicle's mode to an agent's state; ERROR_STATE is safe mode."""
    return Action("system_controller", CommandType.SET_MODE, float(state))
