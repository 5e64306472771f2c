"""The watchers: what passes on the bus, what streams deliver, what the simulator measures, which processes live."""

import asyncio
import time

import grpc.aio
from nats.aio.client import Client
from nats.aio.msg import Msg
from pydantic_core import from_json

from generated.q_sim_api_pb2 import StreamRadarFramesRequest
from generated.q_sim_api_pb2_grpc import QSimAPIServiceStub
from qiki.contracts import topics
from qiki.runtime.grpc import CLIENT_OPTIONS
from qiki.runtime.stream import StreamReader
from qiki_harness.chaos.bus import identity
from qiki_harness.chaos.history import History
from qiki_harness.stack import Stack

LOOK_S = 0.1
FOLLOWED = (
    (topics.QIKI_EVENTS_V1, ()),
    (topics.QIKI_TRACKER_V1, ()),
    (topics.QIKI_RADAR_V1, (topics.FRAMES.subject,)),
)


class BusWatcher:
    """Notes what is not kept, and what the streams' consumers deliver.

    Attributes:
        tracked_s: when the newest tracked frame came, on the monotonic clock
        tracked: its frame's id
    """

    def __init__(self, history: History) -> None:
        self._history = history
        self._readers: list[StreamReader] = []
        self.tracked_s = 0.0
        self.tracked = ""

    def lost(self) -> None:
        """Note the loss of the connection."""
        for reader in self._readers:
            reader.lost()

    async def run(self, client: Client) -> None:
        """Watch without end."""
        await client.subscribe(topics.RESPONSES.subject, cb=self._answer)
        for topic in (topics.TELEMETRY, topics.TRUTH):
            await client.subscribe(topic.subject, cb=self._mention)
        self._readers = [self._reader(client, stream, subjects) for stream, subjects in FOLLOWED]
        async with asyncio.TaskGroup() as group:
            for reader in self._readers:
                group.create_task(reader.run())

    def _reader(self, client: Client, stream: str, subjects: tuple[str, ...]) -> StreamReader:
        def take(message: Msg, sequence: int) -> None:
            self._history.note("followed", stream=stream, seq=sequence, id=identity(message.headers, stream, sequence))
            if stream == topics.QIKI_TRACKER_V1:
                self.tracked_s, self.tracked = time.monotonic(), from_json(message.data)["frame_id"]

        return StreamReader(client, stream, take, subjects=subjects)

    async def _answer(self, message: Msg) -> None:
        fields = from_json(message.data)
        self._history.note("answer", id=fields["request_id"], ok=fields["ok"])

    async def _mention(self, message: Msg) -> None:
        fields = from_json(message.data)
        if "sim_state" in fields:
            self._history.note("mention", run=fields["sim_state"]["run_id"])
        else:
            self._history.note("mention", run=fields["run_id"], frame=fields["frame"])


async def watch_frames(address: str, history: History) -> None:
    """Note each frame that the simulator measures, from itself, without end."""
    request = StreamRadarFramesRequest()
    while True:
        async with grpc.aio.insecure_channel(address, options=CLIENT_OPTIONS) as channel:
            try:
                async for frame in QSimAPIServiceStub(channel).StreamRadarFrames(request, wait_for_ready=True):
                    request = StreamRadarFramesRequest(run_id=frame.run_id, after_frame=frame.number)
                    history.note("measured", run=frame.run_id, frame=frame.number)
            except grpc.aio.AioRpcError:
                pass
        await asyncio.sleep(LOOK_S)


async def watch_lives(stack: Stack, history: History) -> None:
    """Note each new process of a service, without end."""
    lives: dict[str, int] = {}
    while True:
        for name, status in stack.info.services.items():
            if status.pid and lives.get(name) != status.pid:
                lives[name] = status.pid
                history.note("life", service=name, pid=status.pid)
        await asyncio.sleep(LOOK_S)
