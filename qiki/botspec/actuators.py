"""The table of actuators, for the simulator, the agent and the configuration."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from qiki.contracts.enums import CommandType

MAX_PULSE_S = 600.0
"""The longest pulse of a thruster, by one command: at full thrust the default tank is empty in 353 s."""


class ActuatorFamily(StrEnum):
    """Actuators with the same commands."""

    MOTOR = "motor"
    SYSTEM = "system"
    RCS = "rcs"


COMMANDS: dict[ActuatorFamily, tuple[CommandType, ...]] = {
    ActuatorFamily.MOTOR: (CommandType.SET_VELOCITY, CommandType.ROTATE),
    ActuatorFamily.SYSTEM: (CommandType.SET_MODE,),
    ActuatorFamily.RCS: (CommandType.SET_VELOCITY,),
}


@dataclass(frozen=True, slots=True)
class ActuatorKind:
    """One actuator. A command may give its role instead of its id."""

    role: str
    id: UUID
    family: ActuatorFamily

    @property
    def commands(self) -> tuple[CommandType, ...]:
        """Commands that it accepts."""
        return COMMANDS[self.family]


ACTUATORS = tuple(
    ActuatorKind(role, UUID(identity), ActuatorFamily(role.partition("_")[0]))
    for role, identity in (
        ("motor_left", "37dcb32c-ae13-5156-ae80-0f4c663824de"),
        ("motor_right", "2b2c711f-0e36-5e6b-85fc-d8737fd5e1da"),
        ("system_controller", "c0648061-af84-5c8a-a383-71218ba92082"),
        ("rcs_forward", "e6b718f2-769c-527c-a931-d2d7bb2cad82"),
        ("rcs_aft", "aad7ce7d-9ee6-5949-9c45-c3baf309ca44"),
        ("rcs_port", "e03efa3e-5735-5a82-8f5c-9a9d9dfff351"),
        ("rcs_starboard", "3ceca74a-2a9e-5aec-a308-4c24c9102324"),
        ("rcs_up", "6c880f45-ec7b-5762-aacd-4b5e2aca2a1b"),
        ("rcs_down", "e85d5fc3-7dbb-5530-a767-282a16d14e25"),
    )
)
_NAMES = {str(actuator.id): actuator for actuator in ACTUATORS} | {actuator.role: actuator for actuator in ACTUATORS}


def find_actuator(identity: str) -> ActuatorKind | None:
    """Return the actuator of a UUID or role, in any case; None if there is none."""
    return _NAMES.get(identity.lower())
