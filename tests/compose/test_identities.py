"""The rights of identities on the compose stack, from this machine and from another container."""

import json

import grpc
import pytest

from generated import common_types_pb2 as common
from generated import q_sim_api_pb2 as api
from generated.actuator_raw_out_pb2 import ActuatorCommand, CommandType
from generated.q_sim_api_pb2_grpc import QSimAPIServiceStub
from qiki_harness.http import open_url

COMMAND = api.SendActuatorCommandRequest(
    command=ActuatorCommand(
        actuator_id=common.UUID(value="motor_left"), command_type=CommandType.SET_VELOCITY, float_value=10
    )
)
ANSWER_S = 20.0
SERVICES = {"q-sim-service", "q-sim-radar", "faststream-bridge", "registrar", "operator-console", "q-core-agent"}
INSIDE = """
import grpc, sys
from generated.q_sim_api_pb2 import HealthCheckRequest
from generated.q_sim_api_pb2_grpc import QSimAPIServiceStub
for host in ("localhost", "q-sim-service"):
    stub = QSimAPIServiceStub(grpc.insecure_channel(f"{host}:{sys.argv[1]}"))
    try:
        print(host, stub.HealthCheck(HealthCheckRequest(), timeout=20).status)
    except grpc.RpcError as error:
        print(host, error.code().name)
"""


def test_the_tests_command_over_tls_and_the_audit_says_so(containers, watch):
    with watch() as twin:
        before = twin.now()
        done = twin.sim.SendActuatorCommand(COMMAND, timeout=ANSWER_S)  # refused while the vehicle is in safe mode
        event = twin.await_event(code=301 if done.accepted else 302, identity="tests", after=before)
        assert event.data.fields["actuator"] == "motor_left"


def test_without_a_certificate_a_published_port_answers_nothing(containers, container_stack):
    with grpc.insecure_channel(container_stack.addresses["QSIM_GRPC"]) as channel:
        with pytest.raises(grpc.RpcError) as refused:
            QSimAPIServiceStub(channel).HealthCheck(api.HealthCheckRequest(), timeout=ANSWER_S)
        assert refused.value.code() is grpc.StatusCode.UNAVAILABLE


def test_plain_is_the_simulators_loopback_alone(containers, container_stack):
    port = container_stack.variables["QSIM_PORT"]
    status, output = containers.execute("q-sim-service", "python", "-c", INSIDE, port)
    assert status == 0, output
    assert output.split() == ["localhost", "OK", "q-sim-service", "UNAVAILABLE"]


def test_services_of_different_containers_encrypt(containers, container_stack):
    with open_url(f"http://127.0.0.1:{container_stack.variables['NATS_HTTP_PORT']}/connz", timeout=ANSWER_S) as page:
        connections = json.load(page)["connections"]
    own = {one["name"].partition("/")[0]: one.get("tls_version") for one in connections if "/" in one.get("name", "")}
    assert own.keys() >= SERVICES
    assert {name: own[name] for name in SERVICES} == dict.fromkeys(SERVICES, "1.3")
