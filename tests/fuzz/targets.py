"""The fuzzed code: each boundary as a function of bytes, which returns, or raises the error that it declares.

Anything else that it raises is a finding. A body has headers before it where the boundary has them: lines
`name: value`, an empty line, the body.
"""

import asyncio
import json
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from google.protobuf.message import DecodeError
from nats.errors import ProtocolError
from nats.protocol.parser import Parser
from pydantic import ValidationError

from faststream_bridge.frames import read_content
from faststream_bridge.snapshot import SnapshotFile
from generated.q_sim_api_pb2 import SendActuatorCommandRequest
from generated.radar.v1.radar_pb2 import RadarFrame as ProtoFrame
from q_sim_service.keeper import Keeper
from q_sim_service.requests import read_message, salvage
from qiki.audit.files import file_name
from qiki.audit.intake import read_draft
from qiki.audit.query import Query, find
from qiki.audit.verify import verify
from qiki.botspec import load_spec
from qiki.botspec.planes import BotParameters
from qiki.contracts.cloudevents import BrokenEventError
from qiki.contracts.headers import Message
from qiki.contracts.protobuf import command_from_proto, frame_from_proto
from qiki.contracts.topics import TOPICS
from qiki.errors import QikiError
from qiki.flight import Flight, SavedFlight
from qiki.guard import load_rules
from qiki.runtime.identities.nkey import is_public
from qiki.runtime.identities.nkey import verify as signed
from qiki.runtime.nats_patches import apply
from qiki.runtime.reading import read_payload
from qiki.world.commands import read_command
from qiki.world.scenario import load_scenario
from qiki.world.simulator import RunState
from qiki.world.world import SimWorld
from qiki_harness.recording.bundle import recordings
from qiki_harness.recording.layout import About, Note
from qiki_harness.recording.plant import plant
from qiki_harness.recording.writer import RecordingWriter
from registrar.refused import read_line

NOW = datetime(2026, 1, 1, tzinfo=UTC)
FOLDER = Path(tempfile.mkdtemp(prefix="qiki-fuzz-"))
STEP = b'{"command_name": "sim.step", "parameters": {"ticks": 1}}'
PROTOCOL = (b"MSG a 1 2\r\n{}\r\n", b"HMSG a 1 12 14\r\nNATS/1.0\r\n\r\n{}\r\n", b"PING\r\n")
MODELS = [topic.model for topic in TOPICS if topic.model is not None]


@dataclass(frozen=True)
class Target:
    """A boundary.

    Attributes:
        seeds: inputs to begin from, beside the corpus
    """

    run: Callable[[bytes], object]
    declared: tuple[type[Exception], ...] = ()
    seeds: tuple[bytes, ...] = ()

    def holds(self, data: bytes) -> None:
        """Run it; an error that is declared is as good as a value."""
        try:
            self.run(data)
        except self.declared:
            return


def _message(data: bytes) -> tuple[Mapping[str, str], bytes]:
    head, _, body = data.partition(b"\n\n")
    lines = (line.partition(b": ") for line in head.split(b"\n"))
    return {name.decode("latin-1"): value.decode("latin-1") for name, colon, value in lines if colon}, body


def _frame(data: bytes) -> None:
    headers, body = _message(data)
    read_content(body, headers)


def _event(data: bytes) -> None:
    headers, body = _message(data)
    read_draft("qiki.events.v1.x", headers, body, NOW)


def _body(data: bytes) -> None:
    """The first byte chooses the model."""
    if data:
        read_payload(MODELS[data[0] % len(MODELS)], data[1:])


def _command(data: bytes) -> None:
    salvage(data)
    message = read_message(data)
    read_command(message.command_name, message.parameters)


def _file(name: str, read: Callable[[Path], object]) -> Callable[[bytes], None]:
    def run(data: bytes) -> None:
        path = FOLDER / name
        path.write_bytes(data)
        read(path)

    return run


def _journal(data: bytes) -> None:
    folder = FOLDER / "audit"
    folder.mkdir(exist_ok=True)
    (folder / file_name(1)).write_bytes(data)
    verify(folder)
    list(find(folder, Query()))


def _snapshot(data: bytes) -> None:
    file = SnapshotFile(FOLDER)
    (FOLDER / "tracker-snapshot.json").write_bytes(data)
    file.read("QIKI_RADAR_V1", 10)


def _recording(path: Path) -> None:
    for recording in recordings(path):
        for one in recording.messages():
            recording.attachments()
            assert one.message.subject


def recorded() -> bytes:
    """A small recording, as it is written."""
    path = Path(tempfile.mkdtemp(prefix="qiki-fuzz-")) / "seed.mcap"
    with RecordingWriter(path, About(product="0", source="a seed", begun="", python="3"), {"a.json": b"{}"}) as writer:
        writer.put(Message("qiki.truth.v1.contacts", b'{"run_id":"r","frame":1}', {"x-qiki-run": "r"}), 1, 1)
        writer.note(Note(kind="lost", stream="QIKI_RADAR_V1", behind=3), 2)
    return path.read_bytes()


def _saved_flight(data: bytes) -> None:
    Flight.resume(SavedFlight.from_bytes(data))


def saved() -> bytes:
    """A small flight, as it is saved."""
    flight = Flight(load_scenario("single-pass"))
    assert list(flight.fly(1.0))
    return flight.save().to_bytes()


def _kept_run(data: bytes) -> None:
    folder = FOLDER / "kept"
    folder.mkdir(exist_ok=True)
    (folder / "run-1.json").write_bytes(data)
    (folder / "run-1.jsonl").write_bytes(data[-200:])
    Keeper(folder, {}, lambda: 0.0).resume()


def kept() -> bytes:
    """A run as a simulator keeps it."""
    folder = Path(tempfile.mkdtemp(prefix="qiki-fuzz-"))
    world = SimWorld(load_scenario("single-pass"), BotParameters(), 1, UUID(int=1))
    plant(world, (), folder, speed=1.0, state=RunState.STOPPED)
    return (folder / "run-1.json").read_bytes()


def _actuator(data: bytes) -> None:
    command_from_proto(SendActuatorCommandRequest.FromString(data).command)


def _proto_frame(data: bytes) -> None:
    frame_from_proto(ProtoFrame.FromString(data))


class _Client(SimpleNamespace):
    """The calls of nats-py's parser."""

    def __init__(self) -> None:
        super().__init__(_pings_outstanding=0, _max_payload=1 << 22)

    def __getattr__(self, name: str) -> Any:
        async def take(*_: object) -> None:
            """Nothing."""

        return take


def _nats(data: bytes) -> None:
    apply()
    asyncio.run(Parser(_Client()).parse(data))


def _token(data: bytes) -> None:
    text = data.decode("latin-1")
    is_public(text)
    signed(text[:56], data[56:120], data[120:])


TARGETS: dict[str, Target] = {
    "actuator": Target(_actuator, (DecodeError, ValueError)),
    "body": Target(_body, (ValidationError,), tuple(bytes([n]) + b"{}" for n in range(len(MODELS)))),
    "botspec": Target(_file("bot.yaml", load_spec), (QikiError,)),
    "broker-log": Target(read_line),
    "command": Target(_command, (QikiError, ValueError), (STEP,)),
    "event": Target(_event, (BrokenEventError,), (b"ce-id: a\nce-type: b\nce-source: c\nce-specversion: 1.0\n\n{}",)),
    "frame": Target(_frame, (), (b"x-qiki-run: a\nx-qiki-frame: 1\n\n{}",)),
    "journal": Target(_journal, (QikiError,)),
    "kept-run": Target(_kept_run, (), (kept(),)),
    "key": Target(_token),
    "nats": Target(_nats, (ProtocolError,), PROTOCOL),
    "proto-frame": Target(_proto_frame, (DecodeError, ValueError)),
    "recording": Target(_file("run.mcap", _recording), (QikiError,), (recorded(),)),
    "rules": Target(_file("rules.yaml", load_rules), (QikiError,)),
    "saved-flight": Target(_saved_flight, (QikiError,), (saved(),)),
    "scenario": Target(_file("world.yaml", load_scenario), (QikiError,)),
    "snapshot": Target(_snapshot, (), (json.dumps({"version": 1}).encode(),)),
}
