"""The gRPC server: the simulator's API, and the standard health and reflection services, on one port."""

import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from generated import q_sim_api_pb2 as api
from generated.q_sim_api_pb2_grpc import QSimAPIServiceServicer, add_QSimAPIServiceServicer_to_server
from q_sim_service.gate import CALLER, Gate
from q_sim_service.metrics import ACTUATOR_COMMANDS, READERS
from q_sim_service.ports import Ports
from q_sim_service.protobuf import frame_to_proto, reading
from q_sim_service.ticker import Ticker
from qiki.contracts.events import ACTUATOR_FAILED, ACTUATOR_OK
from qiki.contracts.headers import RADAR
from qiki.contracts.protobuf import command_from_proto, uuid_to_proto
from qiki.runtime.events import Events
from qiki.runtime.grpc_requests import RequestReader
from qiki.world.actuation import actuator_refusals, submit_command, takes_effect
from qiki.world.errors import NoFrameError, NoSensorError
from qiki.world.sensors import choose

SERVICE = api.DESCRIPTOR.services_by_name["QSimAPIService"].full_name
DRAIN_S = 0.2
MAX_READERS = 64  # open streams of frames


class Rpc(QSimAPIServiceServicer):
    """Answers from the ticker's state; only the stream waits."""

    def __init__(self, ticker: Ticker, events: Events) -> None:
        self._ticker = ticker
        self._events = events
        self._readers = 0

    def close(self) -> None:
        """End the streams."""
        self._ticker.log.close()

    async def HealthCheck(self, request: api.HealthCheckRequest, context: Any) -> api.HealthCheckResponse:  # noqa: N802, ARG002
        """Return OK with the state of the simulation."""
        simulator = self._ticker.simulator
        message = f"{simulator.state}, run {simulator.world.run_id}, tick {simulator.world.tick_count}"
        return api.HealthCheckResponse(status="OK", message=message, timestamp=int(time.time()))

    async def GetSensorData(self, request: api.GetSensorDataRequest, context: Any) -> api.GetSensorDataResponse:  # noqa: N802
        """Return a current reading."""
        world = self._ticker.world
        try:
            sensor = choose(world, request.sensor_type)
        except NoSensorError as error:
            await context.abort(grpc.StatusCode.NOT_FOUND, str(error))
            raise
        return api.GetSensorDataResponse(reading=reading(world, sensor))

    async def SendActuatorCommand(  # noqa: N802
        self,
        request: api.SendActuatorCommandRequest,
        context: Any,  # noqa: ARG002
    ) -> api.SendActuatorCommandResponse:
        """Accept a command if the vehicle will obey it at the next tick."""
        simulator = self._ticker.simulator
        caller = CALLER.get()
        submitted = submit_command(
            simulator.world, command_from_proto(request.command), caller, self._ticker.submit_late
        )
        outcome = submitted.model_copy(update={"identity": caller})
        ACTUATOR_COMMANDS.labels("accepted" if outcome.accepted else "refused").inc()
        kind = ACTUATOR_OK if outcome.accepted else ACTUATOR_FAILED
        self._events.emit(kind, outcome, moment=simulator.world.timestamp)
        message = takes_effect("" if simulator.running else simulator.state) if outcome.accepted else outcome.message
        return api.SendActuatorCommandResponse(accepted=outcome.accepted, message=message)

    async def ListActuators(self, request: api.ListActuatorsRequest, context: Any) -> api.ListActuatorsResponse:  # noqa: N802, ARG002
        """Return every actuator and whether it would obey now, and whether the vehicle is in safe mode."""
        world = self._ticker.world
        actuators = (
            api.ActuatorState(actuator_id=uuid_to_proto(one.id), role=one.role, ready=not reason, message=reason or "")
            for one, reason in actuator_refusals(world)
        )
        return api.ListActuatorsResponse(actuators=actuators, safe_mode=world.vehicle.safe_mode)

    async def GetRadarFrame(self, request: api.GetRadarFrameRequest, context: Any) -> api.GetRadarFrameResponse:  # noqa: N802, ARG002
        """Return the newest frame."""
        try:
            return api.GetRadarFrameResponse(frame=frame_to_proto(self._ticker.newest_frame()).frame)
        except NoFrameError as error:
            await context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(error))
            raise

    async def StreamRadarFrames(  # type: ignore[override]  # noqa: N802
        self, request: api.StreamRadarFramesRequest, context: Any
    ) -> AsyncIterator[bytes]:
        """Yield frames until the service stops, in the bytes that were logged; the server sends them unchanged."""
        if self._readers >= MAX_READERS:
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, f"{MAX_READERS} streams of frames are open already")
        self._readers += 1
        try:
            async with aclosing(self._frames(request, context)) as frames:
                async for body in frames:
                    yield body
        finally:
            self._readers -= 1

    async def _frames(self, request: api.StreamRadarFramesRequest, context: Any) -> AsyncGenerator[bytes, None]:
        # Sent at once: the first frame may take long.
        radars = ((RADAR, one) for one in self._ticker.radars)
        await context.send_initial_metadata((*self._ticker.place.items(), *radars))
        after = request.after_frame if request.HasField("after_frame") else None
        with READERS.track_inprogress():
            async with aclosing(self._ticker.log.read(request.run_id, after)) as frames:
                async for body in frames:
                    yield body


@asynccontextmanager
async def serving(rpc: Rpc, ports: Ports, gate: Gate | None = None) -> AsyncIterator[int]:
    """Serve within the context, and return the actual port; without a gate everybody may do everything.

    Raises:
        UserError: it cannot listen.
    """
    server = grpc.aio.server(interceptors=[*([gate] if gate else []), RequestReader()], options=ports.options)
    statuses = health.aio.HealthServicer()
    add_QSimAPIServiceServicer_to_server(rpc, server)
    # The stream's messages are bytes already; the generated handler would serialise them.
    stream: Any = grpc.unary_stream_rpc_method_handler(rpc.StreamRadarFrames, api.StreamRadarFramesRequest.FromString)
    server.add_registered_method_handlers(SERVICE, {"StreamRadarFrames": stream})
    health_pb2_grpc.add_HealthServicer_to_server(statuses, server)
    reflection.enable_server_reflection((SERVICE, health.SERVICE_NAME, reflection.SERVICE_NAME), server)
    port = ports.listen(server)
    await server.start()
    for name in ("", SERVICE):
        await statuses.set(name, health_pb2.HealthCheckResponse.SERVING)
    try:
        yield port
    finally:
        rpc.close()
        await statuses.enter_graceful_shutdown()
        await server.stop(DRAIN_S)
