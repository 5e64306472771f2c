"""The limits of the vehicle's actuators: the values that each command takes, and reasons to refuse others."""

from collections.abc import Iterator
from dataclasses import dataclass

from qiki.agent.proposals import DEGREES, PERCENT, Action
from qiki.botspec.actuators import MAX_PULSE_S, ActuatorFamily
from qiki.botspec.config import BotConfig
from qiki.contracts.enums import CommandType, FSMState

MAX_DURATION_S = (2**31 - 1) / 1000.0
"""The longest time that fits into a command's int32 of milliseconds."""


@dataclass(frozen=True, slots=True)
class RefusalReason:
    """One reason, for people; `code` identifies it where the text has figures or names that change."""

    text: str
    code: str = ""

    @property
    def cause(self) -> str:
        """The reason's identity: the code, or the text where there is none."""
        return self.code or self.text


@dataclass(frozen=True, slots=True)
class Range:
    """The values that a command takes; `unit` is empty where there is none, `whole` allows whole numbers only."""

    low: float
    high: float
    unit: str = ""
    whole: bool = False

    def takes(self, value: float) -> bool:
        """Return whether a value is in the range."""
        return self.low <= value <= self.high and (not self.whole or value == int(value))

    def __str__(self) -> str:
        return f"{self.low:g} to {self.high:g}{' ' + self.unit if self.unit else ''}"


RANGES = {
    (ActuatorFamily.MOTOR, CommandType.SET_VELOCITY): Range(0.0, 100.0, PERCENT),
    (ActuatorFamily.MOTOR, CommandType.ROTATE): Range(-360.0, 360.0, DEGREES),
    (ActuatorFamily.RCS, CommandType.SET_VELOCITY): Range(0.0, 100.0, PERCENT),
    (ActuatorFamily.SYSTEM, CommandType.SET_MODE): Range(float(FSMState.BOOTING), float(max(FSMState)), whole=True),
}


def out_of_range(what: str, value: float, expected: str) -> RefusalReason:
    """Return the reason for a value outside of its range."""
    return RefusalReason(f"{what} is {value:g} (expected {expected})", f"{what} is out of range")


class ActuatorLimits:
    """The actuators of one bot by role, and their limits."""

    def __init__(self, config: BotConfig) -> None:
        self.actuators = {actuator.role: actuator for actuator in config.hardware_profile.actuators}

    def resource(self, role: str) -> str:
        """Return what a command to an actuator occupies: the motors drive the vehicle as one."""
        family = self.actuators[role].type
        return family if family is ActuatorFamily.MOTOR else role

    def faults(self, action: Action) -> Iterator[RefusalReason]:
        """Return why an action cannot be done, the most basic reason first."""
        actuator = self.actuators.get(action.actuator)
        if actuator is None:
            yield RefusalReason(f"unknown actuator {action.actuator!r} (expected one of: {', '.join(self.actuators)})")
            return
        allowed = RANGES.get((actuator.type, action.command))
        if allowed is None or action.command.name not in actuator.commands:
            expected = " or ".join(actuator.commands)
            yield RefusalReason(f"{actuator.role} does not take {action.command.name} (expected {expected})")
            return
        if not allowed.takes(action.value):
            yield out_of_range(f"{actuator.role}: value", action.value, str(allowed))
        if action.unit not in {"", allowed.unit}:
            yield RefusalReason(f"{actuator.role}: unit is {action.unit} (expected {allowed.unit or 'none'})")
        if not 0.0 <= action.duration_s <= MAX_PULSE_S:
            yield out_of_range(f"{actuator.role}: duration_s", action.duration_s, f"0 to {MAX_PULSE_S:g}")
