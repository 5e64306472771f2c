"""The radar as a process between the real simulator and the real broker: every frame once, in order."""

import asyncio
import json
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from uuid import UUID, uuid5

import grpc
import nats
import pytest
from nats.aio.msg import Msg
from nats.js.api import AckPolicy, ConsumerConfig

from generated import q_sim_api_pb2 as api
from generated.q_sim_api_pb2_grpc import QSimAPIServiceServicer, add_QSimAPIServiceServicer_to_server
from generated.radar.v1.radar_pb2 import RadarDetection
from nats_js_init.settings import InitSettings
from nats_js_init.streams import apply, plan
from qiki_harness.testing import Broker, ServiceProcess, until

RUN = "11111111-2222-4333-8444-555555555555"
DEADLINE_S = 60.0
SUBJECTS = {"qiki.radar.v1.frames": "", "qiki.radar.v1.frames.lr": ":LR", "qiki.radar.v1.tracks.sr": ":SR"}


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    with Broker(tmp_path / "nats") as running:
        yield running


@contextmanager
def simulated(broker: Broker, folder: Path, stop: bool = False, **settings: object) -> Iterator[ServiceProcess]:
    """A radar, not yet started, whose simulator measures 200 frames a second."""
    world = {"QIKI_RUN_ID": RUN, "QIKI_SPEED": 20, "QIKI_SCENARIO": "single-pass"} | settings
    with ServiceProcess(
        "q_sim_service",
        folder / "sim.log",
        NATS_URL=broker.url,
        QSIM_LISTEN="127.0.0.1:0",
        QIKI_HTTP_PORT=0,
        **world,
    ) as simulator:
        port = until(
            "the simulator to listen",
            lambda: next((one["grpc_port"] for one in simulator.lines() if "grpc_port" in one), 0),
            DEADLINE_S,
        )
        service = ServiceProcess(
            "q_sim_radar", folder / "radar.log", NATS_URL=broker.url, QSIM_GRPC=f"127.0.0.1:{port}", QIKI_HTTP_PORT=0
        )
        yield service
        service.kill()
        if stop:
            simulator.terminate()


@pytest.fixture
def radar(broker: Broker, tmp_path: Path) -> Iterator[ServiceProcess]:
    """A radar, not yet started, whose simulator measures."""
    with simulated(broker, tmp_path) as service:
        yield service


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
    until(f"{number} frames\n{radar.words()[-1000:]}", lambda: count(broker) >= number, DEADLINE_S)


def stored(broker: Broker, subject: str, stream: str = "QIKI_RADAR_V1") -> list[Msg]:
    async def run() -> list[Msg]:
        client = await nats.connect(broker.url)
        config = ConsumerConfig(ack_policy=AckPolicy.NONE)
        reader = await client.jetstream().pull_subscribe(subject, stream=stream, config=config)
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
    radar.ready()
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


@pytest.mark.parametrize("restarted", [False, True], ids=["lives on", "starts again"])
def test_what_a_broker_has_lost_of_what_it_acknowledged_is_sent_again(
    broker: Broker, radar: ServiceProcess, tmp_path: Path, restarted: bool
):
    """As after a power failure: its store is as it was a while before."""
    initialise(broker)
    radar.start()
    radar.ready()
    await_frames(broker, radar, 100)
    before = lose_power(broker, tmp_path)
    broker.start()
    await_frames(broker, radar, 100 + 3 * 200)  # three seconds
    broker.kill()
    if restarted:
        radar.kill()
    restore(broker, tmp_path, before)
    had = count(broker)
    if restarted:
        radar.start()
    await_frames(broker, radar, 1000)
    assert radar.terminate() == 0
    assert had < 600
    assert_every_frame_once_in_order(broker)
    assert [one for one in radar.lines() if one["event"] == "frames lost"] == []


def lose_power(broker: Broker, folder: Path) -> Path:
    """Kill the broker; return a copy of its store."""
    broker.kill()
    return Path(shutil.copytree(folder / "nats", folder / "before"))


def restore(broker: Broker, folder: Path, before: Path) -> None:
    """Start the broker on the copy."""
    shutil.rmtree(folder / "nats")
    shutil.copytree(before, folder / "nats")
    broker.start()


def test_it_waits_for_its_stream(broker: Broker, radar: ServiceProcess):
    with radar:
        until("the radar to say what it waits for", lambda: "QIKI_RADAR_V1 does not answer" in radar.get("/readyz")[1])
        assert radar.get("/readyz")[0] == 503
        initialise(broker)
        radar.ready()
        await_frames(broker, radar, 20)
        assert radar.terminate() == 0
    assert_every_frame_once_in_order(broker)


def runs(broker: Broker) -> list[str]:
    """The runs that are stored, in their order."""
    ids = ((one.headers or {})["x-qiki-run"] for one in stored(broker, "qiki.radar.v1.frames"))
    return list(dict.fromkeys(ids))


def has_runs(broker: Broker, wanted: list[str]) -> bool:
    return runs(broker) == wanted


def test_a_simulator_that_begins_again_over_the_same_data_has_runs_of_its_own(broker: Broker, tmp_path: Path):
    initialise(broker)
    for lives in ([RUN], [RUN, str(uuid5(UUID(RUN), "1"))]):
        with simulated(broker, tmp_path, stop=True, QIKI_STATE_DIR=tmp_path / "state") as radar, radar:
            until("frames of this life", partial(has_runs, broker, lives), DEADLINE_S)
            radar.ready()
    numbers = [int((one.headers or {})["x-qiki-frame"]) for one in stored(broker, "qiki.radar.v1.frames")]
    assert numbers.count(0) == 2


def test_behind_a_killed_simulator_the_frames_of_its_run_go_on(broker: Broker, tmp_path: Path):
    initialise(broker)
    for frames in (50, 150):
        with simulated(broker, tmp_path, QIKI_STATE_DIR=tmp_path / "state") as radar, radar:
            await_frames(broker, radar, frames)
    assert has_runs(broker, [RUN])
    numbers = [int((one.headers or {})["x-qiki-frame"]) for one in stored(broker, "qiki.radar.v1.frames")]
    assert numbers == list(range(len(numbers)))


def test_a_run_that_is_begun_again_is_told_with_what_to_do(broker: Broker, tmp_path: Path):
    initialise(broker)
    with simulated(broker, tmp_path) as radar, radar:
        await_frames(broker, radar, 50)
    (tmp_path / "again").mkdir()
    with simulated(broker, tmp_path / "again", QIKI_AUTOSTART="false") as radar, radar:
        until("the radar to say so", lambda: "QIKI_RUN_ID" in radar.get("/readyz")[1], DEADLINE_S)
        status, said = radar.get("/readyz")
        assert status == 503
        problem = json.loads(said)["waiting_for"]["run"]
        assert problem.startswith(f"run {RUN} has frames up to ")
        assert problem.endswith("give another QIKI_RUN_ID or a fresh run folder")
        (line,) = [one for one in radar.lines() if one["level"] == "error"]
        assert line["problem"] == problem


class Faulty(QSimAPIServiceServicer):
    """A simulator that keeps its frames from the third on; the fifth and the sixth break the contract."""

    def StreamRadarFrames(  # noqa: N802
        self, request: api.StreamRadarFramesRequest, context: grpc.ServicerContext
    ) -> Iterator[api.StreamRadarFramesResponse]:
        for number in range(2, 8):
            if request.run_id != RUN or number > request.after_frame:
                yield self._frame(number)
        while context.is_active():
            time.sleep(0.05)

    def _frame(self, number: int) -> api.StreamRadarFramesResponse:
        message = api.StreamRadarFramesResponse(
            run_id=RUN, number=number, own_position=(0, 0, 0), own_velocity=(0, 0, 0)
        )
        message.frame.schema_version = 1
        message.frame.frame_id.value = str(uuid5(UUID(RUN), str(number)))
        message.frame.sensor_id.value = RUN
        message.frame.timestamp.seconds = 1_767_225_600 + number
        if number in {4, 5}:
            message.frame.detections.append(RadarDetection(range_m=-1.0))
        return message


def test_frames_that_are_missing_are_told_with_the_reason(broker: Broker, tmp_path: Path):
    initialise(broker)
    server = grpc.server(ThreadPoolExecutor(2))
    add_QSimAPIServiceServicer_to_server(Faulty(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    service = ServiceProcess(
        "q_sim_radar", tmp_path / "radar.log", NATS_URL=broker.url, QSIM_GRPC=f"127.0.0.1:{port}", QIKI_HTTP_PORT=0
    )
    with service as radar:
        until(f"the frames\n{radar.words()[-1000:]}", lambda: count(broker) == 4, DEADLINE_S)
        until("the gaps", lambda: len(stored(broker, "qiki.events.v1.radar.gap", "QIKI_EVENTS_V1")) == 2, DEADLINE_S)
    server.stop(None)
    told = [json.loads(one.data) for one in stored(broker, "qiki.events.v1.radar.gap", "QIKI_EVENTS_V1")]
    assert [(one["first_frame"], one["last_frame"], one["reason"]) for one in told] == [
        (0, 1, "this service came to the run when the simulator no longer kept its first frames"),
        (4, 5, "the simulator's frame breaks the contract: the log of this service says how"),
    ]
    numbers = [(one.headers or {})["x-qiki-frame"] for one in stored(broker, "qiki.radar.v1.frames")]
    assert numbers == ["2", "3", "6", "7"]


class Forgetful(Faulty):
    """A simulator with forty frames; once told, it keeps the last twenty only."""

    first, newest = 0, 29

    def StreamRadarFrames(  # noqa: N802
        self, request: api.StreamRadarFramesRequest, context: grpc.ServicerContext
    ) -> Iterator[api.StreamRadarFramesResponse]:
        number = max(self.first, request.after_frame + 1 if request.HasField("after_frame") else 0)
        while context.is_active():
            if number <= self.newest:
                message = self._frame(number)
                del message.frame.detections[:]
                yield message
                number += 1
            else:
                time.sleep(0.02)


def test_what_a_broker_has_lost_and_the_simulator_too_is_told_as_a_gap(broker: Broker, tmp_path: Path):
    initialise(broker)
    before = lose_power(broker, tmp_path)
    broker.start()
    simulator = Forgetful()
    server = grpc.server(ThreadPoolExecutor(4))
    add_QSimAPIServiceServicer_to_server(simulator, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    service = ServiceProcess(
        "q_sim_radar", tmp_path / "radar.log", NATS_URL=broker.url, QSIM_GRPC=f"127.0.0.1:{port}", QIKI_HTTP_PORT=0
    )
    with service as radar:
        await_frames(broker, radar, 30)
        begun_s = time.monotonic()
        radar.ready()
        until("the last second to be over", lambda: time.monotonic() > begun_s + 1.5)
        simulator.newest = 32
        await_frames(broker, radar, 33)
        broker.kill()
        simulator.first, simulator.newest = 20, 39
        restore(broker, tmp_path, before)
        await_frames(broker, radar, 20)
        until("the gap", lambda: len(stored(broker, "qiki.events.v1.radar.gap", "QIKI_EVENTS_V1")) == 1, DEADLINE_S)
    server.stop(None)
    (told,) = [json.loads(one.data) for one in stored(broker, "qiki.events.v1.radar.gap", "QIKI_EVENTS_V1")]
    assert (told["first_frame"], told["last_frame"], told["reason"]) == (
        0,
        19,
        "the broker lost it, and the simulator no longer keeps it",
    )
    numbers = [int((one.headers or {})["x-qiki-frame"]) for one in stored(broker, "qiki.radar.v1.frames")]
    assert numbers == list(range(20, 40))
