"""The simulator's gRPC side: the standard health service, and the API's own check."""

from typing import Any

import grpc.aio
from grpc_health.v1.health_pb2 import HealthCheckRequest as StandardRequest
from grpc_health.v1.health_pb2 import HealthCheckResponse as StandardResponse
from grpc_health.v1.health_pb2_grpc import HealthStub

from generated.q_sim_api_pb2 import DESCRIPTOR, HealthCheckRequest
from qiki_harness.smoke.check import CheckFailedError
from qiki_harness.smoke.session import ANSWER_S, Session

SERVICE = DESCRIPTOR.services_by_name["QSimAPIService"].full_name


async def simulator(session: Session) -> str:
    """SERVING for the server and for the API, and `OK` from the API itself."""
    standard: Any = HealthStub(session.channel)
    try:
        for service in ("", SERVICE):
            answer = await standard.Check(StandardRequest(service=service), timeout=ANSWER_S)
            if answer.status != StandardResponse.SERVING:
                status = StandardResponse.ServingStatus.Name(answer.status)
                raise CheckFailedError(f"grpc.health.v1 says {status} of {service or 'the server'}, not SERVING")
        health = await session.sim.HealthCheck(HealthCheckRequest(), timeout=ANSWER_S)
    except grpc.aio.AioRpcError as error:
        where = session.target.qsim_grpc
        raise CheckFailedError(f"no answer at QSIM_GRPC={where}: {error.code().name}: {error.details()}") from None
    if health.status != "OK":
        raise CheckFailedError(f"HealthCheck says {health.status}, not OK: {health.message}")
    return f"SERVING, and HealthCheck OK: {health.message}"
