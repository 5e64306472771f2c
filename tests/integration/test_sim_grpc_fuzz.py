"""q_sim_service as a process: anything that a gRPC client sends ends with a status, in bounded memory."""

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import pytest
from google.protobuf.message import Message
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2

from generated import common_types_pb2 as common
from generated import q_sim_api_pb2 as api
from generated.actuator_raw_out_pb2 import ActuatorCommand
from generated.q_sim_api_pb2_grpc import QSimAPIServiceStub
from q_sim_service.server import MAX_READERS
from qiki.runtime.grpc import MAX_REQUEST_BYTES
from qiki_harness.testing import ServiceProcess, until

SEED, COUNT = 20261130, 3000
DEADLINE_S = 60.0
MAX_GROWTH_BYTES = 48 << 20
API = "/qiki.api.QSimAPIService/"
UNARY: dict[str, type[Message]] = {
    f"{API}HealthCheck": api.HealthCheckRequest,
    f"{API}GetSensorData": api.GetSensorDataRequest,
    f"{API}SendActuatorCommand": api.SendActuatorCommandRequest,
    f"{API}ListActuators": api.ListActuatorsRequest,
    f"{API}GetRadarFrame": api.GetRadarFrameRequest,
    "/grpc.health.v1.Health/Check": health_pb2.HealthCheckRequest,
}
STREAMED: dict[str, type[Message]] = {
    f"{API}StreamRadarFrames": api.StreamRadarFramesRequest,
    "/grpc.health.v1.Health/Watch": health_pb2.HealthCheckRequest,
}
REFLECTION = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
Channel = grpc.Channel


@pytest.fixture
def sim(tmp_path: Path) -> Iterator[ServiceProcess]:
    settings = {"NATS_URL": "nats://127.0.0.1:9", "QSIM_LISTEN": "127.0.0.1:0", "QIKI_SPEED": 5}
    process = ServiceProcess("q_sim_service", tmp_path / "log", QIKI_HTTP_PORT=0, **settings)
    process.start()
    yield process
    assert process.terminate() == 0


@pytest.fixture
def channel(sim: ServiceProcess) -> Iterator[Channel]:
    with grpc.insecure_channel(address(sim), options=[("grpc.max_send_message_length", -1)]) as made:
        yield made


def address(sim: ServiceProcess) -> str:
    return f"127.0.0.1:{until('it to serve', lambda: sim.said('serving'))['grpc_port']}"


def status_of(call: Callable[[], object]) -> grpc.StatusCode:
    try:
        call()
    except grpc.RpcError as error:
        code: grpc.StatusCode = error.code()  # type: ignore[attr-defined]
        return code
    return grpc.StatusCode.OK


def unary(channel: Channel, method: str, body: bytes) -> grpc.StatusCode:
    return status_of(lambda: channel.unary_unary(method)(body, timeout=DEADLINE_S))


def streamed(channel: Channel, method: str, body: bytes) -> grpc.StatusCode:
    """Take one answer, if one comes."""

    def take() -> None:
        answers = channel.unary_stream(method)(body, timeout=DEADLINE_S)
        next(iter(answers), None)
        answers.cancel()  # type: ignore[attr-defined]

    return status_of(take)


def reflected(channel: Channel, body: bytes) -> grpc.StatusCode:
    return status_of(lambda: list(channel.stream_stream(REFLECTION)(iter((body,)), timeout=DEADLINE_S)))


class Rubbish:
    """Bytes: random, a message that was damaged, or one with random texts and numbers."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def body(self, kind: type[Message]) -> bytes:
        filled = self._filled(kind(), 4)
        match self._random.randrange(3):
            case 0:
                return self._random.randbytes(self._random.randrange(300))
            case 1 if filled:
                body = bytearray(filled)
                for _ in range(self._random.randrange(1, 4)):
                    body[self._random.randrange(len(body))] = self._random.randrange(256)
                return bytes(body[: self._random.randrange(1, len(body) + 1)])
            case _:
                return filled

    def _filled(self, message: Message, depth: int) -> bytes:
        self._fill(message, depth)
        return message.SerializeToString()

    def _fill(self, message: Message, depth: int) -> None:
        for field in message.DESCRIPTOR.fields:
            if self._random.random() < 0.4 or field.is_repeated:
                continue
            if field.message_type is not None:
                if depth:
                    self._fill(getattr(message, field.name), depth - 1)
                continue
            setattr(message, field.name, self._value(field))

    def _value(self, field: object) -> object:
        kind = field.cpp_type  # type: ignore[attr-defined]
        if kind == field.CPPTYPE_STRING:  # type: ignore[attr-defined]
            text = "".join(chr(self._random.choice((0, 27, 65, 0x202E, 0x1F600))) for _ in range(20))
            text *= self._random.choice((0, 1, 50))
            return text.encode() if field.type == field.TYPE_BYTES else text  # type: ignore[attr-defined]
        if kind in {field.CPPTYPE_DOUBLE, field.CPPTYPE_FLOAT}:  # type: ignore[attr-defined]
            return self._random.choice((0.0, -1.0, 1e30, float("nan"), float("inf")))
        if kind == field.CPPTYPE_BOOL:  # type: ignore[attr-defined]
            return self._random.random() < 0.5
        return self._random.choice((0, 1, 7, 2**31 - 1))


def memory(sim: ServiceProcess) -> int:
    lines = sim.get("/metrics")[1].splitlines()
    return int(float(next(line for line in lines if line.startswith("process_resident_memory_bytes")).split()[1]))


def test_three_thousand_random_requests_end_with_a_status_and_leave_nothing(sim: ServiceProcess, channel: Channel):
    rubbish = Rubbish(SEED)
    calls = [
        *((lambda m=m, k=k: unary(channel, m, rubbish.body(k))) for m, k in UNARY.items()),
        *((lambda m=m, k=k: streamed(channel, m, rubbish.body(k))) for m, k in STREAMED.items()),
        lambda: reflected(channel, rubbish.body(reflection_pb2.ServerReflectionRequest)),
    ]
    seen = {call() for call in calls for _ in range(30)}
    before = memory(sim)
    seen |= {calls[number % len(calls)]() for number in range(COUNT)}
    assert seen <= {
        grpc.StatusCode.OK,
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.NOT_FOUND,
        grpc.StatusCode.FAILED_PRECONDITION,
    }
    assert grpc.StatusCode.INVALID_ARGUMENT in seen
    assert memory(sim) - before < MAX_GROWTH_BYTES
    assert QSimAPIServiceStub(channel).HealthCheck(api.HealthCheckRequest(), timeout=DEADLINE_S).status == "OK"
    assert "Traceback" not in sim.words()
    assert len(sim.words().splitlines()) < 1000  # the actuators' log and a few of malformed requests


def test_malformed_requests_are_counted_and_logged_now_and_then(sim: ServiceProcess, channel: Channel):
    for _ in range(200):
        assert unary(channel, f"{API}HealthCheck", b"\xff\xff") is grpc.StatusCode.INVALID_ARGUMENT
    for _ in range(50):
        assert streamed(channel, f"{API}StreamRadarFrames", b"\xff\xff") is grpc.StatusCode.INVALID_ARGUMENT
        assert reflected(channel, b"\xff\xff") is grpc.StatusCode.INVALID_ARGUMENT
    page = sim.get("/metrics")[1]
    assert f'qiki_grpc_malformed_total{{method="{API}HealthCheck"}} 200.0' in page
    assert f'qiki_grpc_malformed_total{{method="{REFLECTION}"}} 50.0' in page
    logged = [line for line in sim.lines() if line["event"] == "malformed gRPC request"]
    assert (logged[0]["method"], logged[0]["bytes"], logged[0]["left_out"]) == (f"{API}HealthCheck", 2, 0)
    assert len(logged) < 10  # of the 300
    assert len(logged) + sum(line["left_out"] for line in logged) <= 300


def test_actuator_ids_of_megabytes_are_refused_and_kept_nowhere(sim: ServiceProcess, channel: Channel):
    """NATS is away, so the simulator keeps its events."""
    stub, command = QSimAPIServiceStub(channel), ActuatorCommand(actuator_id=common.UUID(value="x" * 1_900_000))
    stub.HealthCheck(api.HealthCheckRequest(), timeout=DEADLINE_S)
    before = memory(sim)
    for _ in range(30):
        request = api.SendActuatorCommandRequest(command=command)
        code = status_of(lambda request=request: stub.SendActuatorCommand(request, timeout=DEADLINE_S))
        assert code is grpc.StatusCode.RESOURCE_EXHAUSTED
    command.actuator_id.value = "x" * (MAX_REQUEST_BYTES - 100)
    for _ in range(1000):
        answer = stub.SendActuatorCommand(api.SendActuatorCommandRequest(command=command), timeout=DEADLINE_S)
        assert answer.message == f"the actuator's id has {MAX_REQUEST_BYTES - 100} letters (expected at most 64)"
    assert memory(sim) - before < MAX_GROWTH_BYTES


def test_no_more_than_so_many_streams_of_frames(sim: ServiceProcess, channel: Channel):
    """Over connections of their own, as each has a bound of its own too."""
    request = api.StreamRadarFramesRequest()
    streams = [QSimAPIServiceStub(channel).StreamRadarFrames(request, timeout=DEADLINE_S) for _ in range(MAX_READERS)]
    for stream in streams:
        next(stream)
    with grpc.insecure_channel(address(sim), options=[("grpc.use_local_subchannel_pool", 1)]) as other:
        late = QSimAPIServiceStub(other)
        assert status_of(lambda: next(late.StreamRadarFrames(request, timeout=DEADLINE_S))) is (
            grpc.StatusCode.RESOURCE_EXHAUSTED
        )
        for stream in streams:
            stream.cancel()
        taken = (status_of(lambda: next(late.StreamRadarFrames(request, timeout=DEADLINE_S))) for _ in range(1000))
        assert grpc.StatusCode.OK in taken
