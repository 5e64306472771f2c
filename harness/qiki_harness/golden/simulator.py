"""The simulator's part of a golden run: an agent in lockstep is answered out of the reference."""

import asyncio
from collections import defaultdict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import grpc.aio
from nats.aio.client import Client
from nats.aio.msg import Msg
from pydantic_core import from_json

from generated import common_types_pb2 as common
from generated import q_sim_api_pb2 as api
from generated.q_sim_api_pb2_grpc import QSimAPIServiceServicer, add_QSimAPIServiceServicer_to_server
from generated.sensor_raw_in_pb2 import SensorReading
from q_sim_service.answers import acknowledge
from q_sim_service.requests import read_message, salvage
from qiki.agent.vehicle import Answers, Reading
from qiki.contracts import identities, topics
from qiki.contracts.events import ACTUATOR_OK, ActuatorOutcome
from qiki.contracts.headers import FRAME, RUN, TICK, Message
from qiki.contracts.protobuf import command_from_proto, uuid_to_proto
from qiki.contracts.sim import Origin
from qiki.contracts.ticks import TICK_MS
from qiki.flight.agent_driver import HELD
from qiki.flight.digest import GROUP_OF, GUARD, TRACKER
from qiki.runtime.grpc import SERVER_OPTIONS
from qiki.world.actuation import order_of
from qiki.world.commands import Step, read_command
from qiki.world.world import GivenOrder, Giver
from qiki_harness.golden.reference import Reference
from qiki_harness.golden.run import ANSWERS, SELF_TEST
from qiki_harness.recording.layout import event_ns, nanoseconds

_STREAMED = frozenset(subject for subject, group in GROUP_OF.items() if group in {TRACKER, GUARD})


class RecordedSimulator(QSimAPIServiceServicer):
    """Answers as the simulator of the recorded run: steps, telemetry, self tests, and commands to the vehicle.

    A step brings what the bridge published for its frames. The answer to a command is the recorded one of its place;
    the command itself has no effect.

    Attributes:
        given: the orders that the accepted commands gave
        ended: set once the agent asks for a step beyond the end: it has decided on all before
    """

    def __init__(self, reference: Reference) -> None:
        self.given: list[GivenOrder] = []
        self.ended = asyncio.Event()
        self._run_id, self._last_tick = str(reference.world.run_id), reference.run.ticks
        self._ticks: dict[int, list[Message]] = defaultdict(list)
        begin_ns = nanoseconds(reference.world.scenario.epoch)
        for message in reference.messages:
            self._ticks[((event_ns(message) or 0) - begin_ns) // (TICK_MS * 1_000_000)].append(message)
        self._answered: tuple[str | None, dict[str, str]] = None, {}
        self._tick = 0
        self._frame: str | None = None
        self._telemetry = b""
        self._self_test = Answers()
        self._outcomes: deque[ActuatorOutcome] = deque()
        self._look()

    @asynccontextmanager
    async def serving(self, client: Client) -> AsyncIterator[str]:
        """Answer by gRPC and NATS while the context lasts; give the address."""
        server = grpc.aio.server(options=SERVER_OPTIONS)
        add_QSimAPIServiceServicer_to_server(self, server)
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()

        async def commanded(message: Msg) -> None:
            await self._command(client, message)

        async def requested(_: Msg) -> None:
            await client.publish(topics.TELEMETRY.subject, self._telemetry)

        await client.subscribe(topics.COMMANDS.subject, cb=commanded)
        await client.subscribe(topics.TELEMETRY_REQUESTS.subject, cb=requested)
        try:
            yield f"127.0.0.1:{port}"
        finally:
            await server.stop(None)

    async def HealthCheck(self, request: api.HealthCheckRequest, context: Any) -> api.HealthCheckResponse:  # noqa: N802, ARG002
        """Return OK."""
        return api.HealthCheckResponse(status="OK")

    async def GetSensorData(self, request: api.GetSensorDataRequest, context: Any) -> api.GetSensorDataResponse:  # noqa: N802
        """Return whether the sensor could be read."""
        answer = self._self_test.readings[request.sensor_type]
        if not isinstance(answer, Reading):
            code, _, details = answer.partition(": ")
            await context.abort(grpc.StatusCode[code], details)
            raise TypeError(answer)
        reading = SensorReading(sensor_id=common.UUID(value=answer.sensor_id), is_valid=answer.is_valid)
        if answer.has_data:
            reading.scalar_data = 0.0
        return api.GetSensorDataResponse(reading=reading)

    async def ListActuators(self, request: api.ListActuatorsRequest, context: Any) -> api.ListActuatorsResponse:  # noqa: N802, ARG002
        """Return the actuators, and whether the vehicle is in safe mode."""
        actuators = (
            api.ActuatorState(actuator_id=uuid_to_proto(key), role=one.role, ready=one.ready, message=one.message)
            for key, one in self._self_test.actuators.items()
        )
        return api.ListActuatorsResponse(actuators=actuators, safe_mode=self._self_test.safe_mode)

    async def SendActuatorCommand(  # noqa: N802
        self, request: api.SendActuatorCommandRequest, context: Any
    ) -> api.SendActuatorCommandResponse:
        """Return the recorded answer to the next command of this tick."""
        if not self._outcomes:
            await context.abort(grpc.StatusCode.FAILED_PRECONDITION, "the reference has no such command here")
        outcome = self._outcomes.popleft()
        if outcome.accepted:
            command = command_from_proto(request.command)
            giver = Giver(Origin.GRPC, identities.AGENT, command.command_id or None)
            self.given.append(GivenOrder(self._tick, len(self.given), order_of(command), giver))
        return api.SendActuatorCommandResponse(
            accepted=outcome.accepted, message=HELD if outcome.accepted else outcome.message
        )

    async def _command(self, client: Client, message: Msg) -> None:
        """Step, and acknowledge; a step that is asked for again is done once."""
        request, place = salvage(message.data), self._answered[1]
        if request.message_id != self._answered[0]:
            command = read_message(message.data)
            step = read_command(command.command_name, command.parameters)
            assert isinstance(step, Step), command.command_name
            if self._tick + step.ticks > self._last_tick:
                self.ended.set()
                return
            await self._step(client, step.ticks)
            place = {RUN: self._run_id, TICK: str(self._tick)} | ({FRAME: self._frame} if self._frame else {})
            self._answered = request.message_id, place
        await client.publish(message.reply, acknowledge(request).to_json(), headers=place)

    async def _step(self, client: Client, ticks: int) -> None:
        jetstream = client.jetstream()
        for _ in range(ticks):
            self._tick += 1
            for message in self._ticks[self._tick]:
                if message.subject in _STREAMED:
                    await jetstream.publish(message.subject, message.body, headers=dict(message.headers))
            self._look()
        await client.publish(topics.TELEMETRY.subject, self._telemetry)

    def _look(self) -> None:
        """Take what the present tick shows of the simulator."""
        self._outcomes.clear()
        for message in self._ticks[self._tick]:
            match message.subject:
                case topics.TELEMETRY.subject:
                    self._telemetry = message.body
                case topics.FRAMES.subject:
                    self._frame = message.headers[FRAME]
                case ACTUATOR_OK.subject:
                    self._outcomes.append(ActuatorOutcome.from_json(message.body))
                case subject if subject == SELF_TEST:
                    self._self_test = ANSWERS.validate_python(from_json(message.body)["answers"])
