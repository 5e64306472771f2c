"""The gRPC server: the simulator's API, and the standard health and reflection services, on one port."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from generated.q_sim_api_pb2 import DESCRIPTOR, StreamRadarFramesRequest
from generated.q_sim_api_pb2_grpc import add_QSimAPIServiceServicer_to_server
from q_sim_service.rpc import Rpc
from qiki.errors import UserError
from qiki.runtime.grpc import SERVER_OPTIONS

SERVICE = DESCRIPTOR.services_by_name["QSimAPIService"].full_name
DRAIN_S = 0.2


@asynccontextmanager
async def serving(rpc: Rpc, address: str) -> AsyncIterator[int]:
    """Serve at `address` (HOST:PORT) within the context, and return the actual port.

    Raises:
        UserError: the server cannot listen on the address.
    """
    server = grpc.aio.server(options=SERVER_OPTIONS)
    statuses = health.aio.HealthServicer()
    add_QSimAPIServiceServicer_to_server(rpc, server)
    server.add_registered_method_handlers(SERVICE, {"StreamRadarFrames": _serialised_frames(rpc)})
    health_pb2_grpc.add_HealthServicer_to_server(statuses, server)
    reflection.enable_server_reflection((SERVICE, health.SERVICE_NAME, reflection.SERVICE_NAME), server)
    try:
        port = server.add_insecure_port(address)
    except RuntimeError:
        raise UserError(
            f"QSIM_LISTEN: cannot listen on {address} (in use, or not an address of this machine)"
        ) from None
    await server.start()
    for name in ("", SERVICE):
        await statuses.set(name, health_pb2.HealthCheckResponse.SERVING)
    try:
        yield port
    finally:
        await statuses.enter_graceful_shutdown()
        await server.stop(DRAIN_S)


def _serialised_frames(rpc: Rpc) -> Any:
    """Return the handler of the stream of frames, whose messages are bytes already: the generated one serialises."""
    return grpc.unary_stream_rpc_method_handler(
        rpc.StreamRadarFrames, request_deserializer=StreamRadarFramesRequest.FromString
    )
