"""The simulator's gRPC side: the standard health service, and the API's own check."""

from typing import Any

import grpc
from grpc_health.v1.health_pb2 import HealthCheckRequest as StandardRequest
from grpc_health.v1.health_pb2 import HealthCheckResponse as StandardResponse
from grpc_health.v1.health_pb2_grpc import HealthStub

from generated.q_sim_api_pb2 import DESCRIPTOR, HealthCheckRequest
from qiki_harness.smoke.check import ANSWER_S, CheckFailedError, rpc_fault
from qiki_harness.twin import Twin

SERVICE = DESCRIPTOR.services_by_name["QSimAPIService"].full_name


def simulator(twin: Twin) -> str:
    """Check for SERVING of the server and of the API, and for `OK` from the API itself."""
    standard: Any = HealthStub(twin.channel)
    try:
        for service in ("", SERVICE):
            answer = standard.Check(StandardRequest(service=service), timeout=ANSWER_S)
            if answer.status != StandardResponse.SERVING:
                status = StandardResponse.ServingStatus.Name(answer.status)
                raise CheckFailedError(f"grpc.health.v1 says {status} of {service or 'the server'}, not SERVING")
        health = twin.sim.HealthCheck(HealthCheckRequest(), timeout=ANSWER_S)
    except grpc.RpcError as error:
        raise CheckFailedError(f"no answer at QSIM_GRPC={twin.addresses['QSIM_GRPC']}: {rpc_fault(error)}") from None
    if health.status != "OK":
        raise CheckFailedError(f"HealthCheck says {health.status}, not OK: {health.message}")
    return f"SERVING, and HealthCheck OK: {health.message}"
