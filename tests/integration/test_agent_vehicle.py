"""The vehicle as the agent reaches it: the real simulator, and none at all."""

import asyncio
import socket

import grpc.aio
import pytest

from generated import q_sim_api_pb2 as api
from generated.q_sim_api_pb2_grpc import QSimAPIServiceServicer, add_QSimAPIServiceServicer_to_server
from q_core_agent.grpc_vehicle import CONDITION, LIVE, LOCKSTEP, OK, GrpcVehicle, Patience
from qiki.botspec.actuators import ACTUATORS
from qiki.botspec.planes import SensorKind, sensor_id
from qiki.contracts.actuators import ActuatorCommand
from qiki.contracts.enums import CommandType, FSMState
from qiki.runtime.health import Health
from qiki_harness.testing import ServiceProcess, until, until_async

NOWHERE = "127.0.0.1:9"
CAMERA = 3


def simulator(folder, listen):
    """One without a broker, which it does not need to answer; time is held."""
    settings = {"QSIM_LISTEN": listen, "NATS_URL": f"nats://{NOWHERE}", "QIKI_AUTOSTART": "false"}
    return ServiceProcess("q_sim_service", folder / "log", **settings, QIKI_SCENARIO="empty")


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    with simulator(tmp_path_factory.mktemp("simulator"), "127.0.0.1:0") as process:
        serving = until("the simulator to serve", lambda: process.said("serving"))
        yield f"127.0.0.1:{serving['grpc_port']}"


def asked(address, work, sensors=tuple(SensorKind), patience=LIVE):
    """What comes of some work with a vehicle, and its health."""

    async def ask():
        health = Health("agent")
        async with GrpcVehicle(address, sensors, health, patience) as vehicle:
            return await work(vehicle, health)

    return asyncio.run(ask())


def test_the_self_test_asks_every_declared_sensor_and_actuator(address):
    answers = asked(address, lambda vehicle, _: vehicle.self_test())
    assert (answers.controller, answers.timed_out) == ("", False)
    assert {kind: reading.sensor_id for kind, reading in answers.readings.items()} == {
        kind: str(sensor_id(kind)) for kind in SensorKind
    }
    assert {key: state.role for key, state in answers.actuators.items()} == {one.id: one.role for one in ACTUATORS}
    assert all(state.ready for state in answers.actuators.values())
    assert answers.safe_mode is False


def test_a_sensor_that_is_not_fitted_says_so(address):
    answers = asked(address, lambda vehicle, _: vehicle.self_test(), (SensorKind.GPS, CAMERA))
    assert answers.readings[SensorKind.GPS].is_valid
    assert answers.readings[CAMERA].startswith("NOT_FOUND: no sensor of type 3 is fitted")


def test_commands_are_accepted_or_refused_with_the_reason(address):
    mode = ActuatorCommand("system_controller", CommandType.SET_MODE, FSMState.IDLE)
    stray = ActuatorCommand("rudder", CommandType.ROTATE, 1.0)

    async def send(vehicle, _):
        return [await vehicle.send(one) for one in (mode, stray)]

    accepted, refused = asked(address, send)
    assert accepted.accepted is True
    assert (refused.accepted, refused.message) == (False, "unknown actuator 'rudder'")


def test_readiness_follows_the_connection(address):
    async def connected(_, health):
        assert CONDITION in health.problems
        await until_async("the connection", lambda: asyncio.sleep(0, CONDITION not in health.problems))

    asked(address, connected)


def test_nobody_there_is_a_lost_self_test_and_a_command_without_an_answer():
    async def ask(vehicle, health):
        push = ActuatorCommand("rcs_up", CommandType.SET_VELOCITY, 1.0)
        return await vehicle.self_test(), await vehicle.send(push), dict(health.problems)

    answers, outcome, problems = asked(NOWHERE, ask)
    assert (answers.timed_out, answers.readings, answers.actuators) == (True, {}, {})
    assert outcome.accepted is None
    assert outcome.message.startswith(("UNAVAILABLE: ", "DEADLINE_EXCEEDED: "))
    assert CONDITION in problems


def test_in_lockstep_a_command_waits_for_a_simulator_that_is_away(tmp_path):
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        there = f"127.0.0.1:{place.getsockname()[1]}"
    mode = ActuatorCommand("system_controller", CommandType.SET_MODE, FSMState.IDLE)

    async def send(vehicle, health):
        sending = asyncio.create_task(vehicle.send(mode))
        await until_async("the first try", lambda: asyncio.sleep(0, "TRANSIENT_FAILURE" in health.problems[CONDITION]))
        with simulator(tmp_path, there):
            return await sending

    assert asked(there, send, patience=LOCKSTEP).accepted is True


class _Hanging(QSimAPIServiceServicer):
    """Answers so many health checks and the list of actuators, and then nothing more."""

    def __init__(self, checks):
        self._checks = checks

    async def HealthCheck(self, request, context):  # noqa: N802, ARG002
        if not self._checks:
            await asyncio.Event().wait()
        self._checks -= 1
        return api.HealthCheckResponse(status=OK)

    async def ListActuators(self, request, context):  # noqa: N802, ARG002
        return api.ListActuatorsResponse()

    async def GetSensorData(self, request, context):  # noqa: N802, ARG002
        await asyncio.Event().wait()


@pytest.mark.parametrize(("checks", "timed_out"), [(1, True), (2, False)])
def test_sensors_of_a_simulator_that_hangs_meanwhile_are_not_called_faulty(checks, timed_out):
    async def ask():
        server = grpc.aio.server()
        add_QSimAPIServiceServicer_to_server(_Hanging(checks), server)
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        try:
            async with GrpcVehicle(f"127.0.0.1:{port}", SensorKind, Health("agent"), Patience(0.5, False)) as vehicle:
                return await vehicle.self_test()
        finally:
            await server.stop(None)

    answers = asyncio.run(ask())
    assert answers.timed_out == timed_out
    assert answers.safe_mode is None  # a simulator from before the field
    assert all("DEADLINE_EXCEEDED" in reading for reading in answers.readings.values())
    assert bool(answers.readings) != timed_out
