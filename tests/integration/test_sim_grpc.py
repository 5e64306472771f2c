"""q_sim_service as a process, over gRPC; without a broker, which it does not need to answer."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from uuid import UUID

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from generated import common_types_pb2 as common
from generated import q_sim_api_pb2 as api
from generated.actuator_raw_out_pb2 import ActuatorCommand, CommandType
from generated.q_sim_api_pb2_grpc import QSimAPIServiceStub
from qiki.contracts.ids import RADAR_SENSOR_ID, run_frame_id
from qiki.contracts.protobuf import frame_from_proto

RUN = "11111111-2222-4333-8444-555555555555"
NOWHERE = "nats://127.0.0.1:9"
DEADLINE_S = 60.0


@dataclass
class Simulator:
    """A running process."""

    process: "subprocess.Popen[str]"
    address: str
    channel: grpc.Channel
    stub: QSimAPIServiceStub = field(init=False)

    def __post_init__(self) -> None:
        self.stub = QSimAPIServiceStub(self.channel)

    def stream(self, run_id: str = "", after: int | None = None) -> Iterator[api.StreamRadarFramesResponse]:
        request = api.StreamRadarFramesRequest(run_id=run_id, after_frame=after)
        return iter(self.stub.StreamRadarFrames(request, timeout=DEADLINE_S))

    def send(self, actuator: str, kind: CommandType.ValueType, value: float, timeout_ms: int = 0) -> tuple[bool, str]:
        command = ActuatorCommand(
            actuator_id=common.UUID(value=actuator), command_type=kind, float_value=value, timeout_ms=timeout_ms
        )
        answer = self.stub.SendActuatorCommand(api.SendActuatorCommandRequest(command=command), timeout=DEADLINE_S)
        return answer.accepted, answer.message


def spawn(log: Path, **settings: str) -> "subprocess.Popen[str]":
    environment = os.environ | {"QIKI_RUN_ID": RUN, "QSIM_LISTEN": "127.0.0.1:0", "NATS_URL": NOWHERE} | settings
    with log.open("w") as stderr:
        return subprocess.Popen([sys.executable, "-m", "q_sim_service"], env=environment, stderr=stderr, text=True)


def listening_port(process: "subprocess.Popen[str]", log: Path) -> int:
    """The port, from the log, once it is there."""
    while process.poll() is None:
        if found := re.search(r'"grpc_port": (\d+)', log.read_text()):
            return int(found[1])
        time.sleep(0.01)
    pytest.fail(f"the simulator ended:\n{log.read_text()}")


@contextmanager
def simulator(log: Path, **settings: str) -> Iterator[Simulator]:
    process = spawn(log, **settings)
    try:
        address = f"127.0.0.1:{listening_port(process, log)}"
        with grpc.insecure_channel(address) as channel:
            yield Simulator(process, address, channel)
    finally:
        process.terminate()
        assert process.wait(DEADLINE_S) == 0, log.read_text()


@pytest.fixture(scope="module")
def sim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    log = tmp_path_factory.mktemp("sim") / "log"
    with simulator(log, QIKI_SCENARIO="single-pass", QIKI_SPEED="5") as running:
        yield running


def test_health_by_both_services(sim: Simulator):
    answer = sim.stub.HealthCheck(api.HealthCheckRequest(), timeout=DEADLINE_S)
    assert answer.status == "OK"
    assert answer.timestamp > 1_700_000_000
    health = health_pb2_grpc.HealthStub(sim.channel)  # type: ignore[no-untyped-call]
    for service in ("", "qiki.api.QSimAPIService"):
        request = health_pb2.HealthCheckRequest(service=service)
        assert health.Check(request, timeout=DEADLINE_S).status == health_pb2.HealthCheckResponse.SERVING


def test_reflection_names_the_services(sim: Simulator):
    stub = reflection_pb2_grpc.ServerReflectionStub(sim.channel)  # type: ignore[no-untyped-call]
    request = reflection_pb2.ServerReflectionRequest(list_services="")
    answer = next(iter(stub.ServerReflectionInfo(iter((request,)), timeout=DEADLINE_S)))
    names = {service.name for service in answer.list_services_response.service}
    assert {"qiki.api.QSimAPIService", "grpc.health.v1.Health"} <= names


def test_the_stream_is_numbered_from_zero_without_a_gap(sim: Simulator):
    messages = list(islice(sim.stream(), 30))
    assert [message.number for message in messages] == list(range(30))
    assert {message.run_id for message in messages} == {RUN}
    assert [message.frame.frame_id.value for message in messages] == [
        str(run_frame_id(UUID(RUN), number)) for number in range(30)
    ]
    assert any(frame_from_proto(message.frame).detections for message in messages)


def test_the_stream_goes_on_after_the_frame_that_is_named(sim: Simulator):
    assert [message.number for message in islice(sim.stream(RUN, 4), 3)] == [5, 6, 7]
    assert [message.number for message in islice(sim.stream("unheard-of", 4), 3)] == [0, 1, 2]


def test_readers_get_the_same_and_do_not_take_from_each_other(sim: Simulator):
    one, other = sim.stream(), sim.stream()
    first = list(islice(one, 20))
    assert list(islice(other, 20)) == first


def test_the_newest_frame_is_one_of_the_stream(sim: Simulator):
    newest = sim.stub.GetRadarFrame(api.GetRadarFrameRequest(), timeout=DEADLINE_S).frame
    assert newest.sensor_id.value == str(RADAR_SENSOR_ID)
    same = next(message for message in sim.stream() if message.frame.frame_id == newest.frame_id)
    assert same.frame == newest


@pytest.mark.parametrize(
    ("sensor", "unit", "data"),
    [
        (common.IMU, common.DEGREES, "vector_data"),
        (common.GPS, common.METERS, "vector_data"),
        (common.THERMAL, common.KELVIN, "scalar_data"),
        (common.RADAR, common.UNIT_UNSPECIFIED, "radar_data"),
    ],
)
def test_a_sensor_by_its_type(
    sim: Simulator, sensor: common.SensorType.ValueType, unit: common.Unit.ValueType, data: str
):
    next(sim.stream())  # the radar has its first frame
    request = api.GetSensorDataRequest(sensor_type=sensor)
    reading = sim.stub.GetSensorData(request, timeout=DEADLINE_S).reading
    assert (reading.sensor_type, reading.unit, reading.WhichOneof("sensor_data")) == (sensor, unit, data)
    assert reading.is_valid
    assert reading.source_module == "q_sim_service"
    assert sim.stub.GetSensorData(request, timeout=DEADLINE_S).reading.sensor_id == reading.sensor_id


def test_the_sensors_come_in_turn(sim: Simulator):
    seen: set[int] = set()
    for _ in sim.stream():
        seen.add(sim.stub.GetSensorData(api.GetSensorDataRequest(), timeout=DEADLINE_S).reading.sensor_type)
        if seen == {common.LIDAR, common.IMU, common.GPS, common.THERMAL, common.RADAR}:
            break


def test_a_sensor_that_is_not_fitted(sim: Simulator):
    with pytest.raises(grpc.RpcError) as fault:
        sim.stub.GetSensorData(api.GetSensorDataRequest(sensor_type=common.CAMERA), timeout=DEADLINE_S)
    assert fault.value.code() is grpc.StatusCode.NOT_FOUND  # type: ignore[attr-defined]


def test_a_thruster_moves_the_vehicle(sim: Simulator):
    assert sim.send("rcs_up", CommandType.SET_VELOCITY, 100.0, timeout_ms=2000) == (
        True,
        "takes effect at the next tick",
    )
    climbing = next(message for message in sim.stream() if message.own_velocity[2] > 0.5)
    assert climbing.own_velocity[:2] == [0.0, 0.0]


def test_safe_mode_refuses_thrust_until_it_is_left(sim: Simulator):
    def set_mode(mode: int) -> bool:
        command = ActuatorCommand(
            actuator_id=common.UUID(value="system_controller"), command_type=CommandType.SET_MODE, int_value=mode
        )
        return sim.stub.SendActuatorCommand(api.SendActuatorCommandRequest(command=command)).accepted

    def drive_until(accepted: bool) -> str:
        """Ask at each frame: modes take effect at the next tick."""
        answers = (sim.send("motor_left", CommandType.SET_VELOCITY, 10.0) for _ in sim.stream())
        return next(reason for answer, reason in answers if answer is accepted)

    assert set_mode(4)
    assert "safe mode" in drive_until(accepted=False)
    assert set_mode(2)
    assert drive_until(accepted=True)


def test_the_actuators_are_listed_as_they_are_now(sim: Simulator):
    def ready() -> set[str]:
        answer = sim.stub.ListActuators(api.ListActuatorsRequest(), timeout=DEADLINE_S)
        assert len(answer.actuators) == 9
        return {state.role for state in answer.actuators if state.ready}

    def set_mode(mode: int) -> None:
        command = ActuatorCommand(
            actuator_id=common.UUID(value="system_controller"), command_type=CommandType.SET_MODE, int_value=mode
        )
        assert sim.stub.SendActuatorCommand(api.SendActuatorCommandRequest(command=command)).accepted

    assert len(ready()) == 9
    set_mode(4)
    assert next(roles for _ in sim.stream() if len(roles := ready()) < 9) == {"system_controller"}
    set_mode(2)
    assert any(len(ready()) == 9 for _ in sim.stream())


def test_commands_that_will_not_act_are_not_accepted(sim: Simulator):
    empty = sim.stub.SendActuatorCommand(api.SendActuatorCommandRequest(), timeout=DEADLINE_S)
    assert (empty.accepted, empty.message) == (False, "the command names no actuator")
    assert sim.send("motor_left", CommandType.SET_VELOCITY, 200.0) == (False, "value is 200 (expected 0 to 100)")
    assert not sim.send("motor_left", CommandType.ENABLE, 1.0)[0]


def test_the_same_run_gives_the_same_bytes_at_any_speed(tmp_path: Path):
    def first(running: Simulator) -> list[bytes]:
        return [message.frame.SerializeToString(deterministic=True) for message in islice(running.stream(), 8)]

    world = {"QIKI_SCENARIO": "single-pass"}
    with (
        simulator(tmp_path / "slow.log", QIKI_SPEED="5", **world) as slow,
        simulator(tmp_path / "fast.log", QIKI_SPEED="50", **world) as fast,
    ):
        assert first(fast) == first(slow)


def test_a_taken_port_is_told_in_one_line(sim: Simulator, tmp_path: Path):
    process = spawn(tmp_path / "log", QSIM_LISTEN=sim.address)
    assert process.wait(DEADLINE_S) == 2
    last = (tmp_path / "log").read_text().splitlines()[-1]
    assert last.startswith(f"q-sim-service: QSIM_LISTEN: cannot listen on {sim.address}")


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ({"QIKI_SCENARIO": "nowhere"}, "no scenario is called 'nowhere'"),
        ({"QIKI_SPEED": "-1"}, "QIKI_SPEED: "),
        ({"QIKI_RUN_ID": "one"}, "QIKI_RUN_ID: "),
        ({"QSIM_LISTEN": "50051"}, "QSIM_LISTEN: expected HOST:PORT"),
    ],
)
def test_wrong_settings_are_told_in_one_line(settings: dict[str, str], fault: str, tmp_path: Path):
    process = spawn(tmp_path / "log", **settings)
    assert process.wait(DEADLINE_S) == 2
    assert fault in (tmp_path / "log").read_text().splitlines()[-1]


def test_it_stands_still_until_it_is_started_and_says_so(tmp_path: Path):
    with simulator(tmp_path / "log", QIKI_AUTOSTART="false") as held:
        with pytest.raises(grpc.RpcError) as fault:
            held.stub.GetRadarFrame(api.GetRadarFrameRequest(), timeout=DEADLINE_S)
        assert fault.value.code() is grpc.StatusCode.FAILED_PRECONDITION  # type: ignore[attr-defined]
        assert "no frame yet (the simulation is stopped)" in (fault.value.details() or "")  # type: ignore[attr-defined]
        accepted, message = held.send("motor_left", CommandType.SET_VELOCITY, 10.0)
        assert accepted
        assert "the simulation is stopped" in message


def test_an_open_stream_does_not_hold_up_the_end(tmp_path: Path):
    with simulator(tmp_path / "log") as running:
        stream = running.stream()
        first = next(stream)
        running.process.send_signal(signal.SIGTERM)
        numbers = [message.number for message in (first, *stream)]  # it ends, and does not break
        assert numbers == list(range(len(numbers)))
        assert running.process.wait(DEADLINE_S) == 0
