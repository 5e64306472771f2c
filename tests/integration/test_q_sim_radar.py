"""The radar as a process between the real simulator and the real broker: every frame once, in order."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import nats
import pytest
from nats.aio.msg import Msg
from nats.js.api import AckPolicy, ConsumerConfig

from nats_js_init.apply import apply
from nats_js_init.plan import plan
from nats_js_init.settings import InitSettings
from qiki_harness.testing import Broker, ServiceProcess, until

RUN = "11111111-2222-4333-8444-555555555555"
SUBJECTS = {"qiki.radar.v1.frames": "", "qiki.radar.v1.frames.lr": ":LR", "qiki.radar.v1.tracks.sr": ":SR"}


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    with Broker(tmp_path / "nats") as running:
        yield running


@pytest.fixture
def radar(broker: Broker, tmp_path: Path) -> Iterator[ServiceProcess]:
    """A radar, not yet started, whose simulator measures 200 frames a second."""
    log = tmp_path / "sim.log"
    with ServiceProcess(
        "q_sim_service", log, NATS_URL=broker.url, QIKI_RUN_ID=RUN, QIKI_SPEED=20, QIKI_SCENARIO="single-pass",
        QSIM_LISTEN="127.0.0.1:0", QIKI_HTTP_PORT=0,
    ) as simulator:  # fmt: skip
        port = until(
            "the simulator to listen",
            lambda: next((one["grpc_port"] for one in simulator.lines() if "grpc_port" in one), 0),
        )
        service = ServiceProcess(
            "q_sim_radar", tmp_path / "radar.log", NATS_URL=broker.url, QSIM_GRPC=f"127.0.0.1:{port}", QIKI_HTTP_PORT=0
        )
        yield service
        service.kill()


def initialise(broker: Broker) -> None:
    async def run() -> None:
        client = await nats.connect(broker.url)
        await apply(client.jetstream(), plan(InitSettings()))
        await client.close()

    asyncio.run(run())


def count(broker: Broker) -> int:
    async def run() -> int:
        client = await nats.connect(broker.url)
        info = await client.jetstream().stream_info("QIKI_RADAR_V1")
        await client.close()
        return info.state.messages // len(SUBJECTS)

    return asyncio.run(run())


def await_frames(broker: Broker, radar: ServiceProcess, number: int) -> None:
    until(f"{number} frames\n{radar.words()[-1000:]}", lambda: count(broker) >= number)


def stored(broker: Broker, subject: str) -> list[Msg]:
    async def run() -> list[Msg]:
        client = await nats.connect(broker.url)
        config = ConsumerConfig(ack_policy=AckPolicy.NONE)
        reader = await client.jetstream().pull_subscribe(subject, stream="QIKI_RADAR_V1", config=config)
        left = (await reader.consumer_info()).num_pending or 0
        messages: list[Msg] = []
        while len(messages) < left:
            messages += await reader.fetch(min(500, left - len(messages)), timeout=10)
        await client.close()
        return messages

    return asyncio.run(run())


def assert_every_frame_once_in_order(broker: Broker) -> None:
    for subject, suffix in SUBJECTS.items():
        ids = [(one.headers or {})["Nats-Msg-Id"] for one in stored(broker, subject)]
        assert ids == [f"{RUN}:{number}{suffix}" for number in range(len(ids))]


def test_killed_it_goes_on_behind_the_last_frame_that_is_stored(broker: Broker, radar: ServiceProcess):
    initialise(broker)
    radar.start()
    radar.ready()
    for number in (100, 250):
        await_frames(broker, radar, number)
        radar.kill()
        radar.start()
    await_frames(broker, radar, 400)
    assert radar.terminate() == 0
    assert_every_frame_once_in_order(broker)


def test_a_killed_broker_costs_no_frame(broker: Broker, radar: ServiceProcess):
    initialise(broker)
    radar.start()
    radar.ready()
    for number in (100, 250):
        await_frames(broker, radar, number)
        broker.kill()
        until("the radar to notice", lambda: radar.get("/readyz")[0] == 503)
        broker.start()
        radar.ready()
    await_frames(broker, radar, 500)
    assert radar.terminate() == 0
    assert_every_frame_once_in_order(broker)


def test_it_waits_for_its_stream(broker: Broker, radar: ServiceProcess):
    with radar:
        until("the radar to say what it waits for", lambda: "QIKI_RADAR_V1 does not answer" in radar.get("/readyz")[1])
        assert radar.get("/readyz")[0] == 503
        initialise(broker)
        radar.ready()
        await_frames(broker, radar, 20)
        assert radar.terminate() == 0
    assert_every_frame_once_in_order(broker)
