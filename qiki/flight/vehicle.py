"""The vehicle of a run in one process, as the agent reaches it."""

from collections.abc import Callable, Iterable

from qiki.agent.vehicle import ActuatorReport, Answers, Outcome, Reading
from qiki.botspec.planes.sensors import sensor_id
from qiki.contracts.actuators import ActuatorCommand
from qiki.contracts.events import ACTUATOR_FAILED, ACTUATOR_OK, EventKind
from qiki.contracts.fields import Payload
from qiki.world.actuation import actuator_refusals, submit_command, takes_effect
from qiki.world.errors import NoSensorError
from qiki.world.sensors import choose, read
from qiki.world.world import World

HELD = takes_effect("stopped")
"""What the simulator of a stack in lockstep answers to a command that it accepts."""


class WorldVehicle:
    """Answers from the world itself what the simulator of a stack answers over gRPC; never suspends.

    Args:
        sensors: numbers (SensorType) of those that the configuration declares
        emit: takes the events that the simulator raises
    """

    def __init__(self, world: World, sensors: Iterable[int], emit: Callable[[EventKind, Payload], None]) -> None:
        self._world = world
        self._sensors = tuple(sensors)
        self._emit = emit

    async def self_test(self) -> Answers:
        """Read every declared sensor, list the actuators."""
        return Answers(
            readings={sensor: self._reading(sensor) for sensor in self._sensors},
            actuators={
                actuator.id: ActuatorReport(actuator.role, reason is None, reason or "")
                for actuator, reason in actuator_refusals(self._world)
            },
            safe_mode=self._world.vehicle.safe_mode,
        )

    async def send(self, command: ActuatorCommand) -> Outcome:
        """Give a command, which takes effect at the next tick."""
        outcome = submit_command(self._world, command)
        self._emit(ACTUATOR_OK if outcome.accepted else ACTUATOR_FAILED, outcome)
        return Outcome(outcome.accepted, HELD if outcome.accepted else outcome.message)

    def _reading(self, sensor_type: int) -> Reading | str:
        try:
            sensor = choose(self._world, sensor_type)
        except NoSensorError as error:
            return f"NOT_FOUND: {error}"
        there = read(self._world, sensor) is not None
        return Reading(str(sensor_id(sensor.kind)), is_valid=there, has_data=there)
