"""The vehicle of a run in one process, as the agent reaches it."""

from collections.abc import Callable, Iterable
from uuid import UUID

from qiki.agent.vehicle import ActuatorReport, Answers, Outcome, Reading
from qiki.botspec.actuators import ACTUATORS, ActuatorKind
from qiki.botspec.planes.sensors import sensor_id
from qiki.contracts.actuators import ActuatorCommand
from qiki.contracts.events import ACTUATOR_FAILED, ACTUATOR_OK, ActuatorOutcome, EventKind
from qiki.contracts.fields import Payload
from qiki.world.errors import NoSensorError, OrderError
from qiki.world.sensors import choose, read
from qiki.world.vehicle.actuators import order_of, plain_order
from qiki.world.world import World

HELD = "takes effect at the next tick (the simulation is stopped)"
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
            actuators=dict(map(self._report, ACTUATORS)),
            safe_mode=self._world.vehicle.safe_mode,
        )

    async def send(self, command: ActuatorCommand) -> Outcome:
        """Give a command, which takes effect at the next tick."""
        try:
            self._world.submit(order_of(command))
        except OrderError as error:
            return self._outcome(command, False, str(error), str(error))
        return self._outcome(command, True, "accepted", HELD)

    def _reading(self, sensor_type: int) -> Reading | str:
        try:
            sensor = choose(self._world, sensor_type)
        except NoSensorError as error:
            return f"NOT_FOUND: {error}"
        there = read(self._world, sensor) is not None
        return Reading(str(sensor_id(sensor.kind)), is_valid=there, has_data=there)

    def _report(self, actuator: ActuatorKind) -> tuple[UUID, ActuatorReport]:
        reason = self._world.refusal(plain_order(actuator))
        return actuator.id, ActuatorReport(actuator.role, reason is None, reason or "")

    def _outcome(self, command: ActuatorCommand, accepted: bool, message: str, answer: str) -> Outcome:
        """Raise the event of a command, as the simulator does, and return the answer."""
        body = ActuatorOutcome(
            run_id=str(self._world.run_id),
            actuator=command.actuator_id,
            accepted=accepted,
            message=message,
            ts_epoch=self._world.timestamp.timestamp(),
        )
        self._emit(ACTUATOR_OK if accepted else ACTUATOR_FAILED, body)
        return Outcome(accepted, answer)
