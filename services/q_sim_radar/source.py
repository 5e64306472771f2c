"""The simulator's stream of frames, for ever: after a break it goes on behind the last frame received."""

import asyncio
from collections.abc import AsyncIterator

import grpc
import grpc.aio

from generated.q_sim_api_pb2 import StreamRadarFramesRequest, StreamRadarFramesResponse
from generated.q_sim_api_pb2_grpc import QSimAPIServiceStub
from q_sim_radar.settings import RadarSettings
from qiki.runtime.grpc import CLIENT_OPTIONS
from qiki.runtime.service import Service

RETRY_S = 0.1
CONDITION = "simulator"


async def frames(
    service: Service[RadarSettings], after: tuple[str, int] | None
) -> AsyncIterator[StreamRadarFramesResponse]:
    """Every frame behind `after`, a run and a number; from the start of the current run when None."""
    async with grpc.aio.insecure_channel(service.settings.qsim_grpc, options=CLIENT_OPTIONS) as channel:
        stub = QSimAPIServiceStub(channel)
        while True:
            request = StreamRadarFramesRequest()
            if after is not None:
                request.run_id, request.after_frame = after
            try:
                call = stub.StreamRadarFrames(request, wait_for_ready=True)
                await call.initial_metadata()
                service.health.met(CONDITION)
                async for message in call:
                    after = (message.run_id, message.number)
                    yield message
            except grpc.aio.AioRpcError as error:
                service.health.wait_for(CONDITION, f"{error.code().name}: {error.details()}")
                service.log.warning("stream of frames broke", code=error.code().name, reason=error.details())
            await asyncio.sleep(RETRY_S)
