"""The agent's link to the vehicle: the answers to a self test, and the outcomes of commands."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from qiki.contracts.actuators import ActuatorCommand


@dataclass(frozen=True, slots=True)
class Reading:
    """A sensor's answer; `sensor_id` is a UUID in text form, or empty."""

    sensor_id: str
    is_valid: bool
    has_data: bool


@dataclass(frozen=True, slots=True)
class ActuatorReport:
    """An actuator's answer: whether it would take a command now, and if not, why."""

    role: str
    ready: bool
    message: str = ""


@dataclass(frozen=True, slots=True)
class Answers:
    """The answers to a self test.

    Attributes:
        controller: the simulator's own fault; empty when it has none
        readings: by the number (SensorType) of a declared sensor; a text says why there is no reading
        actuators: by id
        safe_mode: whether the vehicle is in safe mode; None when not known
        timed_out: the simulator did not answer in time; the other fields are empty
    """

    controller: str = ""
    readings: Mapping[int, Reading | str] = field(default_factory=dict)
    actuators: Mapping[UUID, ActuatorReport] = field(default_factory=dict)
    safe_mode: bool | None = None
    timed_out: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """The vehicle's answer to a command; `accepted` is None when no answer came."""

    accepted: bool | None
    message: str


class VehicleLink(Protocol):
    """The agent's access to a vehicle. No method raises for a fault of the network or of the simulator."""

    async def self_test(self) -> Answers:
        """Read every declared sensor, list the actuators, check the controller."""

    async def send(self, command: ActuatorCommand) -> Outcome:
        """Send one command, and return the vehicle's answer."""
