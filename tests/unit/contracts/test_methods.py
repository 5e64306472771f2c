"""The table of RPC methods against the services on the simulator's port."""

import pytest
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2

from generated import q_sim_api_pb2 as api
from qiki.contracts.identities import AGENT, BRIDGE, IDENTITIES, OPERATOR, RADAR, TESTS, VIEWER
from qiki.contracts.methods import METHODS, SEND_ACTUATOR_COMMAND, find_method
from qiki.contracts.rights import Grant

SERVED = [
    f"/{service.full_name}/{method.name}"
    for file in (api, health_pb2, reflection_pb2)
    for service in file.DESCRIPTOR.services_by_name.values()
    for method in service.methods
]


@pytest.mark.parametrize("path", SERVED)
def test_every_method_has_a_row(path):
    assert find_method(path), f"{path}: add a row for it to qiki/contracts/methods.py"


def test_every_row_of_ours_is_a_method():
    ours = {method.path for method in METHODS if "qiki" in method.path}
    assert ours <= set(SERVED)


def test_nobody_may_call_what_has_no_row():
    assert find_method("/qiki.api.QSimAPIService/SelfDestruct") is None
    assert find_method("no path") is None


def test_callers_are_identities():
    names = {identity.name for identity in IDENTITIES}
    assert {name for method in METHODS for name in method.callers} <= names


def test_only_those_who_may_operate_command():
    may = {identity.name for identity in IDENTITIES if SEND_ACTUATOR_COMMAND.allows(identity.name, None)}
    assert may == {AGENT, OPERATOR, TESTS}
    assert not SEND_ACTUATOR_COMMAND.allows(VIEWER, None)
    assert SEND_ACTUATOR_COMMAND.allows("pilot", Grant(operate=True))
    assert not SEND_ACTUATOR_COMMAND.allows("guest", Grant(publish=("qiki.>",)))
    assert not SEND_ACTUATOR_COMMAND.allows(AGENT, Grant())  # a further identity of that name has its own rights


def test_a_service_reads_what_it_needs_and_nothing_else():
    frames = find_method("/qiki.api.QSimAPIService/StreamRadarFrames")
    sensors = find_method("/qiki.api.QSimAPIService/GetSensorData")
    assert frames.allows(RADAR, None)
    assert not sensors.allows(RADAR, None)
    assert not any(method.allows(BRIDGE, None) for method in METHODS)
