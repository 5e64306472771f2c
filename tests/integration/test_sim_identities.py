"""Rights to call the simulator: real processes with the keys of a keyring, over gRPC."""

from datetime import UTC, datetime

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from generated import common_types_pb2 as common
from generated import q_sim_api_pb2 as api
from generated.actuator_raw_out_pb2 import ActuatorCommand, CommandType
from generated.q_sim_api_pb2_grpc import QSimAPIServiceStub
from qiki.contracts.methods import API
from qiki.contracts.rights import Grant
from qiki.runtime.grpc import MAX_CALLS, open_channel
from qiki.runtime.identities.tokens import KEY, VALID_S
from qiki_harness.testing import ServiceProcess, StackKeys, until

NOWHERE = "nats://127.0.0.1:9"
SEND, READ = f"{API}SendActuatorCommand", f"{API}GetSensorData"
DEADLINE_S = 30.0
COMMAND = api.SendActuatorCommandRequest(
    command=ActuatorCommand(
        actuator_id=common.UUID(value="motor_left"), command_type=CommandType.SET_VELOCITY, float_value=10
    )
)
DENIED, UNKNOWN = grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.UNAUTHENTICATED


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    return StackKeys(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def sim(tmp_path_factory, keys):
    folder = tmp_path_factory.mktemp("sim")
    settings = {"QSIM_LISTEN": "127.0.0.1:0", "NATS_URL": NOWHERE, "QIKI_KEYS_DIR": keys.of("q-sim-service")}
    with ServiceProcess("q_sim_service", folder / "log", **settings) as process:
        yield process


@pytest.fixture(scope="module")
def target(sim):
    return f"127.0.0.1:{until('the simulator to serve', lambda: sim.said('serving'))['grpc_port']}"


def send(target, keys=None, metadata=None):
    """Send a command; its answer, or the error's status with its text."""
    with open_channel(target, keys) as channel:
        try:
            return QSimAPIServiceStub(channel).SendActuatorCommand(COMMAND, metadata=metadata, timeout=DEADLINE_S)
        except grpc.RpcError as error:
            return error.code(), error.details()


def test_whoever_has_no_identity_reads_and_does_nothing_else(target):
    with grpc.insecure_channel(target) as channel:
        stub = QSimAPIServiceStub(channel)
        assert stub.HealthCheck(api.HealthCheckRequest(), timeout=DEADLINE_S).status == "OK"
        assert stub.GetSensorData(api.GetSensorDataRequest(), timeout=DEADLINE_S).reading.sensor_id.value
        assert stub.ListActuators(api.ListActuatorsRequest(), timeout=DEADLINE_S).actuators
        assert next(iter(stub.StreamRadarFrames(api.StreamRadarFramesRequest(), timeout=DEADLINE_S))).run_id
        assert health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=DEADLINE_S).status
    status, text = send(target)
    assert status is UNKNOWN
    assert "SendActuatorCommand needs an identity" in text
    assert KEY in text
    assert "qiki keys" in text


@pytest.mark.parametrize("name", ["qiki-dev", "operator", "tests"])
def test_those_who_command_are_obeyed(target, keys, name):
    assert send(target, keys.of(name)).accepted


@pytest.mark.parametrize("name", ["q-sim-radar", "faststream-bridge", "registrar", "nats-js-init"])
def test_other_services_are_refused(target, keys, name):
    status, text = send(target, keys.of(name))
    assert status is DENIED
    assert f"{name} may not call SendActuatorCommand" in text


def test_a_further_identity_has_what_it_was_granted(target, keys):
    assert send(target, keys.add("pilot", Grant(operate=True))).accepted
    assert send(target, keys.add("sensor", Grant(publish=("qiki.sensors.v1.x",))))[0] is DENIED


def test_keys_of_another_stack_are_refused(target, tmp_path):
    status, text = send(target, StackKeys(tmp_path).of("tests"))
    assert status is UNKNOWN
    assert "signature" in text


def test_a_stolen_token_is_of_no_use(target, keys):
    signer, now_s = keys.signer("tests"), datetime.now(UTC).timestamp()
    fresh = ((KEY, signer.token(SEND, now_s)),)
    assert send(target, metadata=fresh).accepted
    assert "used before" in send(target, metadata=fresh)[1]
    assert "s ago" in send(target, metadata=((KEY, signer.token(SEND, now_s - VALID_S - 1)),))[1]
    assert "another method's" in send(target, metadata=((KEY, signer.token(READ, now_s)),))[1]
    assert send(target, metadata=((KEY, "x" * 3000),))[0] is UNKNOWN


def test_renew_and_revoke_hold_while_it_runs(target, keys):
    folder = keys.add("visitor", Grant(operate=True))
    old = keys.signer("visitor").metadata(SEND)
    with open_channel(target, folder) as channel:
        stub = QSimAPIServiceStub(channel)
        assert stub.SendActuatorCommand(COMMAND, timeout=DEADLINE_S).accepted
        keys.renew("visitor")
        assert stub.SendActuatorCommand(COMMAND, timeout=DEADLINE_S).accepted  # the same channel takes the new key
        assert send(target, metadata=old)[0] is UNKNOWN
        new = keys.signer("visitor").metadata(SEND)
        keys.revoke("visitor")
        status, text = send(target, metadata=new)
    assert status is UNKNOWN
    assert "revoked" in text


def test_refusals_are_counted_and_logged_at_a_bounded_rate(sim, target):
    count = 'qiki_sim_calls_refused_total{method="SendActuatorCommand",status="UNAUTHENTICATED"} '

    def counted():
        page = sim.get("/metrics")[1]
        return sum(float(line.removeprefix(count)) for line in page.splitlines() if line.startswith(count))

    before = counted()
    with grpc.insecure_channel(target) as channel:
        stub = QSimAPIServiceStub(channel)
        calls = [stub.SendActuatorCommand.future(COMMAND, timeout=DEADLINE_S) for _ in range(MAX_CALLS)]
        assert {call.code() for call in calls} == {UNKNOWN}
    assert counted() == before + MAX_CALLS
    assert len([line for line in sim.lines() if line.get("event") == "call refused"]) < MAX_CALLS / 2


def test_without_keys_all_is_open(tmp_path):
    with ServiceProcess("q_sim_service", tmp_path / "log", QSIM_LISTEN="127.0.0.1:0", NATS_URL=NOWHERE) as process:
        port = until("the simulator to serve", lambda: process.said("serving"))["grpc_port"]
        assert send(f"127.0.0.1:{port}").accepted
        assert [line["level"] for line in process.lines() if line["event"].startswith("no keys")] == ["warning"]


def test_with_a_folder_that_has_no_keys_it_does_not_start(tmp_path):
    settings = {"QSIM_LISTEN": "127.0.0.1:0", "NATS_URL": NOWHERE, "QIKI_KEYS_DIR": tmp_path}
    with ServiceProcess("q_sim_service", tmp_path / "log", **settings) as process:
        assert process.wait() == 2
        assert "identity.json" in process.words()


def test_the_audit_says_who_commanded_and_who_was_refused(own_twin):
    twin = own_twin("empty", without=("qiki-dev",))
    assert twin.sim.SendActuatorCommand(COMMAND, timeout=DEADLINE_S).accepted
    assert twin.await_event(code=301, actuator="motor_left").data.fields["identity"] == "tests"
    status, _ = send(twin.backing.addresses["QSIM_GRPC"])
    assert status is UNKNOWN
    refused = twin.await_event(code=802, command="SendActuatorCommand").data.fields
    assert (refused["sender"], refused["source"]) == ("unknown", "grpc")
    assert "needs an identity" in refused["reason"]
