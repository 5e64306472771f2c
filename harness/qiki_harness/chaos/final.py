"""The end of a run: wait until all is quiet, then note what streams and audit log hold."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from urllib.parse import unquote

import grpc.aio
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from pydantic_core import from_json

from generated.q_sim_api_pb2 import GetRadarFrameRequest
from generated.q_sim_api_pb2_grpc import QSimAPIServiceStub
from qiki.audit.files import audit_files, read_lines
from qiki.audit.record import DamagedLineError, unseal
from qiki.audit.verify import verify
from qiki.contracts import topics
from qiki.contracts.events import RADAR_GAP
from qiki.contracts.headers import ESTIMATES, FRAME, ORIGIN_SEQUENCE, ORIGIN_SUBJECT, RUN
from qiki.runtime.grpc import CLIENT_OPTIONS
from qiki.runtime.stream import Begin, StreamPosition, StreamReader
from qiki_harness.chaos.bus import identity
from qiki_harness.chaos.history import History
from qiki_harness.chaos.rig import Rig
from qiki_harness.errors import DeadlineError

T = TypeVar("T")

READ_S = 300.0
STILL_S = 90.0  # longer than what was delivered to a reader that died waits to be delivered again
LOOK_S = 0.1
_RPC_S = 15.0
_OF_RADAR = {topics.QIKI_RADAR_V1, topics.QIKI_TRACKER_V1, topics.QIKI_ESTIMATES_V1}


async def newest_frame(rig: Rig) -> str:
    """Return the id of the newest frame that the simulator measured."""
    address = rig.stack.info.addresses["QSIM_GRPC"]
    async with grpc.aio.insecure_channel(address, options=CLIENT_OPTIONS) as channel:
        request = GetRadarFrameRequest()
        answer = await QSimAPIServiceStub(channel).GetRadarFrame(request, wait_for_ready=True, timeout=_RPC_S)
    return str(answer.frame.frame_id.value)


async def until_reached(what: str, look: Callable[[], Awaitable[T]], goal: Callable[[T], bool]) -> None:
    """Look until the goal is reached, for as long as there is progress: a busy machine takes its time.

    Raises:
        DeadlineError: what is seen has not changed for `STILL_S`.
    """
    seen, since_s = await look(), time.monotonic()
    while not goal(seen):
        await asyncio.sleep(LOOK_S)
        if (now := await look()) != seen:
            seen, since_s = now, time.monotonic()
        elif time.monotonic() - since_s > STILL_S:
            raise DeadlineError(f"waited for {what}: for {STILL_S:g} s there is no change of {seen!r}")


async def until_registered(jetstream: JetStreamContext) -> int:
    """Wait until the registrar has acknowledged all events; return the sequence up to which."""
    last = (await jetstream.stream_info(topics.QIKI_EVENTS_V1)).state.last_seq

    async def floor() -> int:
        consumer = await jetstream.consumer_info(topics.QIKI_EVENTS_V1, topics.REGISTRAR_DURABLE)
        return consumer.ack_floor.stream_seq if consumer.ack_floor else 0

    await until_reached(f"the events up to {last} to be registered", floor, lambda reached: reached >= last)
    return last


async def note_end(rig: Rig, client: Client, history: History, registered_to: int) -> None:
    """Note all streams, then the audit log, then the events that came meanwhile."""
    jetstream = client.jetstream()
    states = {stream.name: await jetstream.stream_info(stream.name) for stream in topics.STREAMS}
    history.note(
        "run",
        registered_to=registered_to,
        window_s={name: info.config.duplicate_window for name, info in states.items()},
        asynchronous=[stream.name for stream in topics.STREAMS if stream.persist_async],
    )
    ends = {name: await _note_stream(client, history, name, Begin.OLDEST) for name in states}
    await asyncio.to_thread(_note_audit, rig, history)
    last = ends[topics.QIKI_EVENTS_V1]
    created = states[topics.QIKI_EVENTS_V1].created
    assert created is not None
    await _note_stream(client, history, topics.QIKI_EVENTS_V1, StreamPosition(created, last))


async def _note_stream(client: Client, history: History, stream: str, begin: Begin | StreamPosition) -> int:
    """Note what a stream holds now, and return its last sequence."""
    last = begin.sequence if isinstance(begin, StreamPosition) else 0

    def take(message: Msg, sequence: int) -> None:
        nonlocal last
        last = sequence
        history.note("stored", **_fields(message, stream, sequence))

    reader = StreamReader(client, stream, take, begin)
    reading = asyncio.create_task(reader.run())
    try:
        await asyncio.wait_for(reader.caught_up.wait(), READ_S)
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
    return last


def _fields(message: Msg, stream: str, sequence: int) -> dict[str, Any]:
    headers, subject = message.headers or {}, message.subject
    fields: dict[str, Any] = {
        "stream": stream, "seq": sequence, "subject": subject, "at": message.metadata.timestamp.timestamp(),
        "id": identity(headers, stream, sequence),
    }  # fmt: skip
    if stream in _OF_RADAR:
        fields |= {"run": headers.get(RUN, ""), "frame": int(headers.get(FRAME, -1))}
    read: Callable[[Msg], dict[str, Any]] | None = _CONTENT.get(subject) or _CONTENT.get(stream)
    return fields | read(message) if read else fields


def _of_frame(message: Msg) -> dict[str, Any]:
    return {"frame_id": from_json(message.data)["frame_id"]}


def _of_notice(message: Msg) -> dict[str, Any]:
    return {"tracks": from_json(message.data)["tracks"], "parts": int((message.headers or {}).get(ESTIMATES, 0))}


def _of_event(message: Msg) -> dict[str, Any]:
    headers = message.headers or {}
    fields: dict[str, Any] = {
        "source": unquote(headers.get("ce-source", "")),
        "event_id": unquote(headers.get("ce-id", "")),
    }
    if headers.get("ce-type") == RADAR_GAP.ce_type:
        gap = from_json(message.data)
        fields["gap"] = {"run": gap["run_id"], "first": gap["first_frame"], "last": gap["last_frame"]}
    return fields


def _of_letter(message: Msg) -> dict[str, Any]:
    headers = message.headers or {}
    return {"origin_subject": headers.get(ORIGIN_SUBJECT, ""), "origin_seq": int(headers.get(ORIGIN_SEQUENCE, 0))}


_CONTENT: dict[str, Callable[[Msg], dict[str, Any]]] = {
    topics.FRAMES.subject: _of_frame,
    topics.TRACKED.subject: _of_notice,
    topics.QIKI_EVENTS_V1: _of_event,
    topics.QIKI_DLQ_V1: _of_letter,
}


def _note_audit(rig: Rig, history: History) -> None:
    folder = rig.volume("audit")
    for fault in verify(folder).faults:
        history.note("damage", what=str(fault))
    for path in audit_files(folder):
        for line in read_lines(path):
            try:
                fields = unseal(line).fields
            except DamagedLineError:
                continue  # `verify` says so, or it is still being written
            at = fields["registered_at"]
            history.note(
                "audit", sequence=fields["sequence"], source=fields["source"], id=fields["event_id"], at=at,
                hash=fields["hash"],
            )  # fmt: skip
