"""The vehicle as the agent reaches it: what it answers to the self test, and what it makes of commands."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from generated.actuator_raw_out_pb2 import ActuatorCommand
from generated.q_sim_api_pb2 import ActuatorState
from generated.sensor_raw_in_pb2 import SensorReading


@dataclass(frozen=True)
class Answers:
    """What the simulator answered to the self test; what failed says why, in place of the answer.

    Attributes:
        controller: what is wrong with the simulator itself; empty when it is in order
        readings: by the sensor's number (SensorType), of those that the configuration declares
        actuators: by id
        timed_out: nobody answered in time: the self test is lost
    """

    controller: str = ""
    readings: Mapping[int, SensorReading | str] = field(default_factory=dict)
    actuators: Mapping[UUID, ActuatorState] = field(default_factory=dict)
    timed_out: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a command; `accepted` is None where no answer came."""

    accepted: bool | None
    message: str


class Vehicle(Protocol):
    """Nothing here raises for what the network or the simulator do."""

    async def self_test(self) -> Answers:
        """Ask every declared sensor for a reading, list the actuators, check the controller; side by side."""

    async def send(self, command: ActuatorCommand) -> Outcome:
        """Give one command."""
