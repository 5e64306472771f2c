"""The simulator's stream of frames, without end: after a break it resumes after the last frame received."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any

import grpc
import grpc.aio

from generated.q_sim_api_pb2 import StreamRadarFramesRequest
from q_sim_radar.backlog import Waiting
from q_sim_radar.settings import RadarSettings
from qiki.contracts.headers import FRAME, RADAR, RUN
from qiki.contracts.numbers import MAX_FRAME, whole_number
from qiki.runtime.grpc import open_aio_channel
from qiki.runtime.identities.credentials import credentials
from qiki.runtime.retry import listening, pause_s
from qiki.runtime.service import Service

METHOD = "/qiki.api.QSimAPIService/StreamRadarFrames"
CONDITION = "simulator"
RUN_CONDITION = "run"
KEPT_S = 5.0


async def frames(service: Service[RadarSettings], after: tuple[str, int] | None) -> AsyncIterator[Waiting]:
    """Yield every frame after `after`, a run and a number; from the start of the current run when None.

    The radar headers of the present runs come at the begin of a call, so a frame of another run needs a new call.
    Frames stay serialised, as they came.
    """
    called_for, failures = None, 0
    host, _, port = service.settings.qsim_grpc.rpartition(":")
    while True:
        await asyncio.sleep(pause_s(failures))
        await listening(host, int(port), service.stopping)  # a channel that was refused once pauses for long
        own = credentials(service.settings.qiki_keys_dir)  # each time: they may have been renewed
        async with open_aio_channel(service.settings.qsim_grpc, own) as channel:
            request = StreamRadarFramesRequest()
            if after is not None:
                request.run_id, request.after_frame = after
            stream: Any = channel.unary_stream(METHOD, request_serializer=StreamRadarFramesRequest.SerializeToString)
            failures += 1
            try:
                call = stream(request, wait_for_ready=True)
                metadata = [(key, str(value)) for key, value in await call.initial_metadata()]
                place, radars = dict(metadata), radars_of(metadata)
                service.health.met(CONDITION)
                check_run(service, place, after)
                async for body in call:
                    frame, failures = Waiting.received(body, radars), 0
                    if frame.run not in radars and frame.run != called_for:
                        called_for = frame.run
                        call.cancel()
                        break
                    after = (frame.run, frame.number)
                    service.health.met(RUN_CONDITION)
                    yield frame
                else:
                    service.health.wait_for(CONDITION, "the simulator has ended the stream")
            except grpc.aio.AioRpcError as error:
                service.health.wait_for(CONDITION, f"{error.code().name}: {error.details()}")
                service.log.warning("stream of frames broke", code=error.code().name, reason=error.details())


async def kept(
    service: Service[RadarSettings], after: tuple[str, int] | None, last: tuple[str, int]
) -> AsyncIterator[Waiting]:
    """Yield the frames after `after` up to `last` that the simulator still keeps; of the run of `last` when None."""
    request = StreamRadarFramesRequest(run_id=last[0])
    if after is not None:
        request.run_id, request.after_frame = after
    runs = {last[0], request.run_id}
    own = credentials(service.settings.qiki_keys_dir)
    async with open_aio_channel(service.settings.qsim_grpc, own) as channel:
        stream: Any = channel.unary_stream(METHOD, request_serializer=StreamRadarFramesRequest.SerializeToString)
        try:
            call = stream(request, timeout=KEPT_S)
            radars = radars_of([(key, str(value)) for key, value in await call.initial_metadata()])
            async for body in call:
                frame = Waiting.received(body, radars)
                if frame.run not in runs or (frame.run == last[0] and frame.number > last[1]):
                    return
                yield frame
                if (frame.run, frame.number) == last:
                    return
        except grpc.aio.AioRpcError as error:  # it has no such run any more, or no further frames, or is away
            service.log.warning("no more of the frames that were lost", code=error.code().name, reason=error.details())


def radars_of(metadata: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the radar header of each run's frames, by run; empty for the default radar."""
    return {run: text for key, value in metadata if key == RADAR for run, _, text in [value.partition(" ")]}


def check_run(service: Service[RadarSettings], place: Mapping[str, str], after: tuple[str, int] | None) -> None:
    """Be unready, with the reason, while the simulator's frames would pass for stored ones."""
    problem = conflict(place, after)
    if problem is None:
        service.health.met(RUN_CONDITION)
        return
    service.health.wait_for(RUN_CONDITION, problem)
    service.log.error("frames would pass for stored ones", problem=problem)


def conflict(place: Mapping[str, str], after: tuple[str, int] | None) -> str | None:
    """Return the problem if the simulator has begun a run again whose frames are stored; None otherwise.

    `place` is the position of the simulator as headers; `after` is the last frame stored or received.
    """
    if after is None or place.get(RUN) != after[0]:
        return None
    newest = whole_number(place[FRAME], FRAME, MAX_FRAME) if FRAME in place else -1
    if newest >= after[1]:
        return None
    return (
        f"run {after[0]} has frames up to {after[1]} stored already, and the simulator begins it again "
        f"({newest + 1} frames so far): give another QIKI_RUN_ID or a fresh run folder"
    )
