"""The simulator's stream of frames, for ever: after a break it goes on behind the last frame received."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any

import grpc
import grpc.aio

from generated.q_sim_api_pb2 import StreamRadarFramesRequest
from q_sim_radar.backlog import Waiting
from q_sim_radar.settings import RadarSettings
from qiki.contracts.headers import FRAME, RADAR, RUN
from qiki.runtime.grpc import CLIENT_OPTIONS
from qiki.runtime.service import Service

METHOD = "/qiki.api.QSimAPIService/StreamRadarFrames"
RETRY_S = 0.1
CONDITION = "simulator"
RUN_CONDITION = "run"


async def frames(service: Service[RadarSettings], after: tuple[str, int] | None) -> AsyncIterator[Waiting]:
    """Yield every frame behind `after`, a run and a number; from the start of the current run when None.

    What is said of a run's radar comes at the begin of a call, of the runs that there are then. So the call is made
    again where another run follows. Frames stay serialised, as they came.
    """
    asked = None
    async with grpc.aio.insecure_channel(service.settings.qsim_grpc, options=CLIENT_OPTIONS) as channel:
        stream: Any = channel.unary_stream(METHOD, request_serializer=StreamRadarFramesRequest.SerializeToString)
        while True:
            request = StreamRadarFramesRequest()
            if after is not None:
                request.run_id, request.after_frame = after
            try:
                call = stream(request, wait_for_ready=True)
                told = [(key, str(value)) for key, value in await call.initial_metadata()]
                place, radars = dict(told), radars_of(told)
                service.health.met(CONDITION)
                check_run(service, place, after)
                async for body in call:
                    frame = Waiting.received(body, radars)
                    if frame.run not in radars and frame.run != asked:
                        asked = frame.run
                        call.cancel()
                        break
                    after = (frame.run, frame.number)
                    service.health.met(RUN_CONDITION)
                    yield frame
                else:
                    await asyncio.sleep(RETRY_S)
            except grpc.aio.AioRpcError as error:
                service.health.wait_for(CONDITION, f"{error.code().name}: {error.details()}")
                service.log.warning("stream of frames broke", code=error.code().name, reason=error.details())
                await asyncio.sleep(RETRY_S)


def radars_of(told: Iterable[tuple[str, str]]) -> dict[str, str]:
    """What each run's frames are to say of its radar, by run; empty for nothing."""
    return {run: text for key, value in told if key == RADAR for run, _, text in [value.partition(" ")]}


def check_run(service: Service[RadarSettings], place: Mapping[str, str], after: tuple[str, int] | None) -> None:
    """Be unready, and say why, while the simulator's frames would pass for stored ones."""
    problem = conflict(place, after)
    if problem is None:
        service.health.met(RUN_CONDITION)
        return
    service.health.wait_for(RUN_CONDITION, problem)
    service.log.error("frames would pass for stored ones", problem=problem)


def conflict(place: Mapping[str, str], after: tuple[str, int] | None) -> str | None:
    """What is wrong when the simulator has begun a run again whose frames are stored; None when nothing is.

    Args:
        place: where the simulator stands, as headers
        after: run and number of the last frame that is stored or was received
    """
    if after is None or place.get(RUN) != after[0]:
        return None
    newest = int(place.get(FRAME, -1))
    if newest >= after[1]:
        return None
    return (
        f"run {after[0]} has frames up to {after[1]} stored already, and the simulator begins it again "
        f"({newest + 1} frames so far): give another QIKI_RUN_ID or a fresh run folder"
    )
