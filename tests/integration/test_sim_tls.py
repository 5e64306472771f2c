"""The simulator on an address that is not loopback: TLS, client certificates, methods by identity."""

import asyncio
import json
import socket
import ssl
from itertools import islice

import grpc
import psutil
import pytest

from generated import common_types_pb2 as common
from generated import q_sim_api_pb2 as api
from generated.actuator_raw_out_pb2 import ActuatorCommand, CommandType
from generated.q_sim_api_pb2_grpc import QSimAPIServiceStub
from q_core_agent.grpc_vehicle import GrpcVehicle, Patience
from qiki.contracts.actuators import ActuatorCommand as AgentCommand
from qiki.contracts.enums import CommandType as Command
from qiki.contracts.enums import FSMState
from qiki.contracts.rights import Grant
from qiki.runtime.grpc import open_channel
from qiki.runtime.health import Health
from qiki.runtime.identities.credentials import HANDED_OUT, credentials
from qiki_harness.testing import ServiceProcess, StackKeys, until, until_async

NOWHERE = "nats://127.0.0.1:9"
DEADLINE_S = 30.0
DENIED, UNKNOWN, AWAY = (
    grpc.StatusCode.PERMISSION_DENIED,
    grpc.StatusCode.UNAUTHENTICATED,
    grpc.StatusCode.UNAVAILABLE,
)
COMMAND = api.SendActuatorCommandRequest(
    command=ActuatorCommand(
        actuator_id=common.UUID(value="motor_left"), command_type=CommandType.SET_VELOCITY, float_value=10
    )
)


@pytest.fixture(scope="module")
def outer():
    """An address of this machine by which others may reach it."""
    found = [one.address for card in psutil.net_if_addrs().values() for one in card if one.family is socket.AF_INET]
    outer = next((address for address in found if not address.startswith("127.")), None)
    return outer or pytest.skip("this machine has no address but loopback")


@pytest.fixture(scope="module")
def keys(tmp_path_factory, outer):
    return StackKeys(tmp_path_factory.mktemp("keys"), [outer])


@pytest.fixture(scope="module")
def sim(tmp_path_factory, keys):
    folder = tmp_path_factory.mktemp("sim")
    settings = {"QSIM_LISTEN": "0.0.0.0:0", "NATS_URL": NOWHERE, "QIKI_KEYS_DIR": keys.of("q-sim-service")}
    with ServiceProcess("q_sim_service", folder / "log", **settings) as process:
        yield process


@pytest.fixture(scope="module")
def port(sim):
    return until("the simulator to serve", lambda: sim.said("serving"))["grpc_port"]


@pytest.fixture(scope="module")
def target(outer, port):
    return f"{outer}:{port}"


def status(call, *arguments, **options):
    """The status of a call; OK for an answer."""
    try:
        call(*arguments, timeout=DEADLINE_S, **options)
    except grpc.RpcError as error:
        return error.code()
    return grpc.StatusCode.OK


def send(target, keys):
    with open_channel(target, keys) as channel:
        return status(QSimAPIServiceStub(channel).SendActuatorCommand, COMMAND)


def health(channel):
    return status(QSimAPIServiceStub(channel).HealthCheck, api.HealthCheckRequest())


def test_without_a_certificate_nothing_is_answered_there(target, keys):
    with grpc.insecure_channel(target) as channel:
        assert health(channel) is AWAY
    ca = grpc.ssl_channel_credentials((keys.of("tests") / "ca.pem").read_bytes())
    with grpc.secure_channel(target, ca) as channel:
        assert health(channel) is AWAY


def test_loopback_stays_plain_on_the_same_port(port, keys):
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        assert health(channel) is grpc.StatusCode.OK
    with grpc.insecure_channel(f"localhost:{port}") as channel:
        assert health(channel) is grpc.StatusCode.OK
    assert send(f"127.0.0.1:{port}", keys.of("tests")) is grpc.StatusCode.OK
    assert send(f"127.0.0.1:{port}", None) is UNKNOWN


@pytest.mark.parametrize(
    ("name", "commands", "reads"),
    [
        ("tests", grpc.StatusCode.OK, grpc.StatusCode.OK),
        ("operator", grpc.StatusCode.OK, grpc.StatusCode.OK),
        ("qiki-dev", grpc.StatusCode.OK, grpc.StatusCode.OK),
        ("q-sim-radar", DENIED, DENIED),
        ("registrar", DENIED, DENIED),
    ],
)
def test_each_identity_may_call_its_methods(target, keys, name, commands, reads):
    with open_channel(target, keys.of(name)) as channel:
        stub = QSimAPIServiceStub(channel)
        assert status(stub.SendActuatorCommand, COMMAND) is commands
        assert status(stub.GetSensorData, api.GetSensorDataRequest()) is reads


def test_the_radar_takes_frames(target, keys):
    with open_channel(target, keys.of("q-sim-radar")) as channel:
        frames = QSimAPIServiceStub(channel).StreamRadarFrames(api.StreamRadarFramesRequest(), timeout=DEADLINE_S)
        assert [frame.number for frame in islice(frames, 3)] == [0, 1, 2]


def test_a_certificate_of_another_stack_is_refused(target, keys, tmp_path):
    other = StackKeys(tmp_path).of("tests")
    (other / "ca.pem").write_bytes((keys.of("tests") / "ca.pem").read_bytes())
    assert send(target, other) is AWAY


def test_a_client_takes_no_other_server_for_the_simulator(target, tmp_path):
    assert send(target, StackKeys(tmp_path).of("tests")) is AWAY


def test_a_clients_certificate_is_no_servers(keys, outer):
    """Its owner cannot pass for the simulator."""
    own = keys.of("operator")
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(own / "cert.pem", own / "cert.key")
    client = ssl.create_default_context(cafile=own / "ca.pem")
    ins = [ssl.MemoryBIO(), ssl.MemoryBIO()]
    theirs = server.wrap_bio(ins[0], ins[1], server_side=True)
    ours = client.wrap_bio(ins[1], ins[0], server_hostname=outer)
    with pytest.raises(ssl.SSLWantReadError):
        ours.do_handshake()
    with pytest.raises(ssl.SSLWantReadError):
        theirs.do_handshake()
    with pytest.raises(ssl.SSLCertVerificationError):
        ours.do_handshake()


def test_renewed_and_revoked_certificates_hold_while_it_runs(target, keys):
    own = keys.add("pilot", Grant(operate=True))
    with open_channel(target, own) as channel:
        stub = QSimAPIServiceStub(channel)
        assert status(stub.SendActuatorCommand, COMMAND) is grpc.StatusCode.OK
        keys.renew("pilot")
        assert status(stub.SendActuatorCommand, COMMAND) is UNKNOWN  # this channel has the former one
        assert send(target, own) is grpc.StatusCode.OK
    with open_channel(target, own) as channel:
        stub = QSimAPIServiceStub(channel)
        frames = stub.StreamRadarFrames(api.StreamRadarFramesRequest(), timeout=DEADLINE_S)
        next(iter(frames))
        keys.revoke("pilot")
        assert status(stub.HealthCheck, api.HealthCheckRequest()) is UNKNOWN
        with pytest.raises(grpc.RpcError) as ended:  # a stream that was open ends as well
            for _ in frames:
                pass
        assert ended.value.code() is UNKNOWN


def test_the_server_takes_its_own_renewed_certificate(sim, target, keys):
    before = ssl.get_server_certificate(tuple(target.split(":")), timeout=DEADLINE_S)
    keys.renew("q-sim-service")
    assert send(target, keys.of("tests")) is grpc.StatusCode.OK
    after = ssl.get_server_certificate(tuple(target.split(":")), timeout=DEADLINE_S)
    assert after != before
    assert after.encode().strip() == (keys.of("q-sim-service") / "cert.pem").read_bytes().strip()


def test_a_second_simulator_on_the_port_is_an_error(port, keys, tmp_path):
    settings = {"QSIM_LISTEN": f"0.0.0.0:{port}", "NATS_URL": NOWHERE, "QIKI_KEYS_DIR": keys.of("q-sim-service")}
    with ServiceProcess("q_sim_service", tmp_path / "log", **settings) as process:
        assert process.wait() == 2
        assert f"QSIM_LISTEN: cannot listen on 0.0.0.0:{port}" in process.words()


def test_on_one_outer_address_all_is_tls(keys, outer, tmp_path):
    settings = {"QSIM_LISTEN": f"{outer}:0", "NATS_URL": NOWHERE, "QIKI_KEYS_DIR": keys.of("q-sim-service")}
    with ServiceProcess("q_sim_service", tmp_path / "log", **settings) as process:
        own_port = until("the simulator to serve", lambda: process.said("serving"))["grpc_port"]
        assert send(f"{outer}:{own_port}", keys.of("tests")) is grpc.StatusCode.OK
        with grpc.insecure_channel(f"{outer}:{own_port}") as channel:
            assert health(channel) is AWAY


def test_files_with_a_secret_are_in_folders_that_others_cannot_enter(keys):
    for name in ("tests", "q-sim-service"):
        folder = keys.of(name)
        assert folder.stat().st_mode & 0o777 == 0o700
        files = ("seed.nk", "cert.key", "cert.pem", "ca.pem", "identity.json")
        assert {file: (folder / file).stat().st_mode & 0o777 for file in files} == dict.fromkeys(files, HANDED_OUT)
    roster = (keys.of("q-sim-service") / "identities.json").read_text()
    assert "SU" not in {word[:2] for word in roster.split('"')}
    assert {one["name"] for one in json.loads(roster)} >= {"tests", "operator"}


def test_the_agent_takes_its_renewed_certificate(target, keys):
    command = AgentCommand("system_controller", Command.SET_MODE, FSMState.IDLE)

    async def drive():
        own = credentials(keys.of("qiki-dev"))
        async with GrpcVehicle(target, (), Health("agent"), Patience(DEADLINE_S, True), own) as vehicle:
            assert (await vehicle.send(command)).accepted
            keys.renew("qiki-dev")

            async def obeyed():
                return (await vehicle.send(command)).accepted

            await until_async("the agent to be obeyed again", obeyed)

    asyncio.run(drive())
