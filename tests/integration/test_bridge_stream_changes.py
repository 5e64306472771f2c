"""What the bridge follows is removed, made again or cut short under it: it ends, and its next start follows what is."""

import asyncio
import shutil
import signal
import socket
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import nats
import pytest
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig

from faststream_bridge.app import sent_again
from faststream_bridge.stream import StreamChangedError
from nats_js_init.settings import InitSettings
from nats_js_init.streams import apply, plan
from qiki.clock import rfc3339
from qiki.contracts import topics
from qiki.contracts.enums import RadarRangeBand
from qiki.contracts.headers import FRAME, MESSAGE_ID, FrameOrigin
from qiki.contracts.ids import RADAR_SENSOR_ID, run_frame_id
from qiki.contracts.radar import RadarDetection, RadarFrame, TrackedFrame
from qiki.contracts.topics import Topic
from qiki.runtime.health import Health
from qiki.runtime.nats import Link, connect
from qiki.runtime.publisher import Publisher
from qiki.runtime.service import Service
from qiki.runtime.settings import ServiceSettings
from qiki_harness.testing import Broker, ServiceProcess, until

RUN, OTHER = (UUID(f"6f1c3d1e-0000-4000-8000-00000000000{number}") for number in (1, 2))
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
SELDOM, OFTEN = 3600.0, 0.1
PLOT = RadarDetection(range_m=900.0, bearing_deg=45.0, elev_deg=0.0, vr_mps=0.0, snr_db=25.0, rcs_dbsm=3.0)


@dataclass
class Stack:
    """A broker, and a bridge that looks after its stream at an interval."""

    broker: Broker
    folder: Path
    looks_every_s: float

    def __post_init__(self) -> None:
        self.bridge = ServiceProcess(
            "faststream_bridge",
            self.folder / "bridge.log",
            NATS_URL=self.broker.url,
            QIKI_STATE_DIR=self.folder / "state",
            QIKI_HTTP_PORT=0,
            SNAPSHOT_INTERVAL_SEC=0.05,
            RADAR_LAG_MONITOR_INTERVAL_SEC=self.looks_every_s,
        )

    def on(self, work: Callable[[JetStreamContext], Awaitable[Any]]) -> Any:
        async def run() -> Any:
            async with asyncio.timeout(60), await nats.connect(self.broker.url) as client:
                return await work(client.jetstream())

        return asyncio.run(run())

    def initialise(self) -> None:
        self.on(lambda jetstream: apply(jetstream, plan(InitSettings())))

    def store(self, run: UUID, numbers: Iterable[int], detections: tuple[RadarDetection, ...] = ()) -> None:
        async def publish(jetstream: JetStreamContext) -> None:
            for number in numbers:
                moment = EPOCH + timedelta(seconds=0.1 * number)
                frame = RadarFrame(
                    frame_id=run_frame_id(run, number),
                    sensor_id=RADAR_SENSOR_ID,
                    timestamp=moment,
                    detections=detections,
                )
                origin = FrameOrigin(str(run), number, (0.0, 0.0, 0.0), (0.0, 0.0, 0.0), {})
                headers = origin.headers(RadarRangeBand.RR_UNSPECIFIED, rfc3339(moment))
                await jetstream.publish(topics.FRAMES.subject, frame.to_json(), headers=headers)

        self.on(publish)

    def tracked(self, run: UUID) -> list[int]:
        """Which frames of a run are said to be tracked."""

        async def read(jetstream: JetStreamContext) -> list[TrackedFrame]:
            config = ConsumerConfig(ack_policy=AckPolicy.NONE)
            reader = await jetstream.pull_subscribe(topics.TRACKED.subject, config=config)
            left = (await reader.consumer_info()).num_pending or 0
            said = await reader.fetch(left, timeout=10) if left else []
            return [TrackedFrame.from_json(one.data) for one in said]

        return [one.frame for one in self.on(read) if one.run_id == str(run)]

    def frames_of(self, topic: Topic[Any]) -> list[int]:
        """The frames of a topic's messages, in the order of their numbers."""

        async def read(jetstream: JetStreamContext) -> list[int]:
            config = ConsumerConfig(ack_policy=AckPolicy.NONE)
            reader = await jetstream.pull_subscribe(topic.subject, stream=topic.stream, config=config)
            left = (await reader.consumer_info()).num_pending or 0
            found = await reader.fetch(left, timeout=10) if left else []
            return sorted(int((one.headers or {})[FRAME]) for one in found)

        frames: list[int] = self.on(read)
        return frames

    def await_tracked(self, run: UUID, last: int) -> None:
        until(f"frame {last} of {run} to be tracked", lambda: last in self.tracked(run))

    def ended(self) -> str:
        """The line with which the bridge ended of itself."""
        assert self.bridge.wait() == 2
        (line,) = [line for line in self.bridge.words().splitlines() if not line.startswith("{")]
        return line


@pytest.fixture
def stack(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Stack]:
    """A stack whose bridge has tracked ten frames."""
    with Broker(tmp_path / "nats") as broker:
        one = Stack(broker, tmp_path, request.param)
        one.initialise()
        with one.bridge:
            one.bridge.ready()
            one.store(RUN, range(10))
            one.await_tracked(RUN, 9)
            yield one


def looking(interval_s: float) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("stack", [interval_s], indirect=True)


async def remove_stream(jetstream: JetStreamContext) -> None:
    await jetstream.delete_stream(topics.QIKI_RADAR_V1)


async def remove_durable(jetstream: JetStreamContext) -> None:
    await jetstream.delete_consumer(topics.QIKI_RADAR_V1, topics.FRAMES_DURABLE)


def roll_back(stack: Stack, frames: Iterable[int], streams: str = "*") -> None:
    """Store frames that a broker forgets when its machine loses power, and let the bridge track them.

    Args:
        streams: which of them forget what has come since, as a pattern
    """
    store, kept = stack.broker.log.parent / "jetstream", stack.folder / "kept"
    stack.broker.kill()
    shutil.copytree(store, kept)
    stack.broker.start()
    stack.bridge.ready()
    stack.store(RUN, frames)
    stack.await_tracked(RUN, max(frames))
    stack.broker.kill()
    for former in kept.glob(f"*/streams/{streams}"):
        shutil.rmtree(store / former.relative_to(kept))
        shutil.copytree(former, store / former.relative_to(kept))
    stack.broker.start()


@looking(SELDOM)
def test_no_frame_of_a_stream_made_anew_is_lost(stack: Stack):
    stack.on(remove_stream)
    stack.initialise()
    stack.store(OTHER, range(8))  # fewer than there were
    assert "QIKI_RADAR_V1 was made again, or lost its last messages" in stack.ended()
    stack.bridge.start()
    stack.await_tracked(OTHER, 7)
    assert stack.tracked(OTHER) == list(range(8))


@looking(SELDOM)
@pytest.mark.parametrize("streams", ["*", topics.QIKI_RADAR_V1], ids=["all streams", "the radar's"])
def test_no_frame_is_lost_behind_those_that_the_broker_lost(stack: Stack, streams: str):
    """The new ones are more than those lost: what was said of a place in the stream speaks of another frame.

    The bridge sends again what it said last.
    """
    roll_back(stack, range(10, 20), streams)
    stack.store(RUN, range(20, 35))
    assert "QIKI_RADAR_V1 was made again, or lost its last messages" in stack.ended()
    stack.bridge.start()
    stack.await_tracked(RUN, 34)
    tracked = stack.tracked(RUN)
    assert tracked == sorted(set(tracked))
    assert {*range(10), *range(20, 35)} <= set(tracked) <= set(range(35))


@looking(SELDOM)
@pytest.mark.parametrize("lost", [topics.TRACKS, topics.ESTIMATES], ids=lambda topic: topic.noun)
def test_what_the_broker_lost_of_announced_frames_is_made_again(stack: Stack, lost: Topic[Any]):
    """It has their frames and notices still, and who published the rest is dead."""
    store, kept = stack.broker.log.parent / "jetstream", stack.folder / "kept"
    stack.store(RUN, range(10, 12), (PLOT,))
    stack.await_tracked(RUN, 11)
    stack.bridge.kill()
    shutil.copytree(stack.folder / "state", stack.folder / "snapshot")
    stack.store(RUN, range(12, 15), (PLOT,))
    stop(stack.broker)
    shutil.copytree(store, kept)
    stack.broker.start()
    stack.bridge.start()
    stack.await_tracked(RUN, 14)
    stack.bridge.kill()
    stop(stack.broker)
    (former,) = kept.glob(f"*/streams/{lost.stream}")
    shutil.rmtree(store / former.relative_to(kept))
    shutil.copytree(former, store / former.relative_to(kept))
    shutil.rmtree(stack.folder / "state")  # the last snapshot was of before the loss
    shutil.copytree(stack.folder / "snapshot", stack.folder / "state")
    stack.broker.start()
    assert stack.frames_of(lost)[-1] == 11
    stack.bridge.start()
    until("what was lost to be there", lambda: stack.frames_of(lost)[-5:] == list(range(10, 15)))
    assert stack.tracked(RUN) == list(range(15))


def stop(broker: Broker) -> None:
    """End a broker in order: what it has acknowledged is written, whatever the stream's mode."""
    broker.signal(signal.SIGTERM)
    until("the broker to have ended", lambda: not stands(broker))
    broker.kill()


def stands(broker: Broker) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", int(broker.url.rpartition(":")[2]))) == 0


async def end(link: Link, broker: Broker) -> None:
    """Notice a change while the broker, which will be back soon, lacks a message."""
    async with Publisher(link) as publisher, sent_again(publisher):
        broker.kill()
        await publisher.publish(topics.TRACKED.subject, b"{}", {MESSAGE_ID: "one"})
        starting = asyncio.create_task(asyncio.to_thread(broker.start))
        starting.add_done_callback(lambda done: done.result())
        raise StreamChangedError("the stream was made again")


def test_what_the_broker_has_not_yet_is_stored_before_the_end(tmp_path: Path):
    async def main(broker: Broker) -> int:
        service = Service("bridge-test", ServiceSettings(nats_url=broker.url), Health("bridge-test"))
        async with asyncio.timeout(60), connect(service) as link:
            await apply(link.jetstream, plan(InitSettings()))
            with pytest.raises(ExceptionGroup) as caught:
                await end(link, broker)
            assert caught.group_contains(StreamChangedError)
            return (await link.jetstream.stream_info(topics.QIKI_TRACKER_V1)).state.messages

    with Broker(tmp_path) as broker:
        assert asyncio.run(main(broker)) == 1


@looking(OFTEN)
def test_that_the_broker_lost_messages_is_seen_though_no_frame_comes(stack: Stack):
    roll_back(stack, range(10, 20))
    assert "QIKI_RADAR_V1 lost its last 10 messages" in stack.ended()


@looking(OFTEN)
@pytest.mark.parametrize(
    ("remove", "said"),
    [(remove_stream, "QIKI_RADAR_V1 was removed"), (remove_durable, "radar_frames_pull was removed")],
)
def test_what_is_removed_is_waited_for(stack: Stack, remove: Callable[[JetStreamContext], Awaitable[None]], said: str):
    stack.on(remove)
    assert said in stack.ended()
    stack.bridge.start()
    until("the bridge to say what it waits for", lambda: '"stream": ' in stack.bridge.get("/readyz")[1])
    stack.initialise()
    stack.bridge.ready()
    stack.store(OTHER, range(3))
    stack.await_tracked(OTHER, 2)
