"""q_sim_service as a process with a real broker: commands, telemetry, truth, events."""

import asyncio
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen
from uuid import UUID, uuid4

import nats
import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from q_sim_service.control import MAX_WAITING
from q_sim_service.nats_publisher import NatsPublisher
from q_sim_service.runs import run_ids
from q_sim_service.settings import SimulatorSettings
from q_sim_service.ticker import Ticker
from qiki.botspec.planes import BotParameters, PowerParameters
from qiki.contracts import topics
from qiki.contracts.control import ControlAck
from qiki.contracts.events import CODE, RADAR_SHED, RadarAvailability
from qiki.contracts.telemetry import TelemetrySnapshot, TruthSnapshot
from qiki.runtime.health import Health
from qiki.runtime.nats import connect
from qiki.runtime.publisher import Publisher
from qiki.runtime.service import Service
from qiki.world.scenario import load_scenario
from qiki.world.simulator import Setup, Simulator

RUN = "11111111-2222-4333-8444-555555555555"
DEADLINE_S = 60.0


def wait_for(what: str, found: Callable[[], Any], process: "subprocess.Popen[bytes]", log: Path) -> Any:
    """Poll until `found` finds something, or fail with the process's words."""
    deadline_s = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline_s and process.poll() is None:
        if value := found():
            return value
        time.sleep(0.01)
    return pytest.fail(f"no {what}:\n{log.read_text()}")


@contextmanager
def process(log: Path, *command: str, **environment: str) -> Iterator["subprocess.Popen[bytes]"]:
    with log.open("wb") as output:
        running = subprocess.Popen(command, env=os.environ | environment, stdout=output, stderr=output)
    try:
        yield running
    finally:
        running.terminate()
        running.wait(DEADLINE_S)


@contextmanager
def broker(folder: Path, port: int = -1) -> Iterator[str]:
    """A NATS server with JetStream; gives its URL."""
    binary = Path(sys.executable).with_name("nats-server")
    options = ("-a", "127.0.0.1", "-p", str(port), "-js", "-sd", str(folder), "--ports_file_dir", str(folder))
    with process(folder / "nats.log", str(binary), *options) as server:
        ports = wait_for("broker", lambda: list(folder.glob(f"*{server.pid}.ports")), server, folder / "nats.log")
        yield wait_for("port", lambda: _url(ports[0]), server, folder / "nats.log")


def _url(ports: Path) -> str | None:
    text = ports.read_text()
    return json.loads(text)["nats"][0] if text.endswith("}") else None


@contextmanager
def simulator(folder: Path, url: str, **settings: str) -> Iterator[str]:
    """A simulator; gives the address of its health page."""
    defaults = {"NATS_URL": url, "QIKI_RUN_ID": RUN, "QSIM_LISTEN": "127.0.0.1:0", "QIKI_SCENARIO": "single-pass"}
    log = folder / "sim.log"
    with process(log, sys.executable, "-m", "q_sim_service", **(defaults | settings)) as running:
        found = wait_for("health page", lambda: re.search(r'"http_port": (\d+)', log.read_text()), running, log)
        page = f"http://127.0.0.1:{found[1]}"
        wait_for("readiness", lambda: ready(page), running, log)
        yield page


def ready(page: str) -> bool:
    try:
        with urlopen(f"{page}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except HTTPError as error:
        error.close()
        return False


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with broker(tmp_path_factory.mktemp("nats")) as address:
        yield address


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a broker of its own, with a simulator that was not started."""
    folder = tmp_path_factory.mktemp("held")
    with (
        broker(folder) as address,
        simulator(folder, address, QIKI_AUTOSTART="false", TELEMETRY_INTERVAL_SEC="0.05"),
    ):
        yield address


@pytest.fixture
def stopped(held: str) -> str:
    """The same, with a new run."""

    async def reset(operator: Operator) -> None:
        assert (await operator.send("sim.reset", scenario="single-pass")).ok

    at_console(held, reset)
    return held


class Operator:
    """Somebody at the console."""

    def __init__(self, client: Client, answers: Subscription) -> None:
        self.client = client
        self.answers = answers

    async def send(self, name: str, **parameters: Any) -> ControlAck:
        """Send a command; its one acknowledgement, which came on both subjects."""
        message_id = str(uuid4())
        command = {"command_name": name, "parameters": parameters, "metadata": {"message_id": message_id}}
        ack = await self.ask(json.dumps(command).encode())
        assert ack.request_id == ack.requestId == message_id
        assert ack.kind == name
        return ack

    async def ask(self, body: bytes) -> ControlAck:
        reply = await self.client.request(topics.COMMANDS.subject, body, timeout=DEADLINE_S)
        answer = await self.answers.next_msg(DEADLINE_S)
        assert answer.data == reply.data
        ack: ControlAck = ControlAck.from_json(reply.data)
        return ack

    async def telemetry(self, where: Callable[[TelemetrySnapshot], bool] = bool) -> TelemetrySnapshot:
        """The next telemetry of which `where` holds."""
        subscription = await self.client.subscribe(topics.TELEMETRY.subject)
        try:
            while True:
                message = await subscription.next_msg(DEADLINE_S)
                snapshot: TelemetrySnapshot = TelemetrySnapshot.from_json(message.data)
                if where(snapshot):
                    return snapshot
        finally:
            await subscription.unsubscribe()


@asynccontextmanager
async def console(url: str) -> AsyncIterator[Operator]:
    client = await nats.connect(url)
    try:
        answers = await client.subscribe(topics.RESPONSES.subject)
        await client.flush()
        yield Operator(client, answers)
    finally:
        await client.close()


def at_console(url: str, play: Callable[[Operator], Awaitable[None]]) -> None:
    async def run() -> None:
        async with asyncio.timeout(60), console(url) as operator:
            await play(operator)

    asyncio.run(run())


def test_a_step_is_acknowledged_when_its_frames_are_out(stopped: str):
    async def play(operator: Operator) -> None:
        seen: list[TruthSnapshot | ControlAck] = []

        async def saw(message: Msg) -> None:
            model = TruthSnapshot if message.subject == topics.TRUTH.subject else ControlAck
            seen.append(model.from_json(message.data))

        for topic in (topics.TRUTH, topics.RESPONSES):
            await operator.client.subscribe(topic.subject, cb=saw)
        assert (await operator.send("sim.step", ticks=400)).ok
        state = (await operator.telemetry()).sim_state
        assert state.tick == 400
        truths = [one for one in seen if isinstance(one, TruthSnapshot)]
        assert [truth.frame for truth in truths] == list(range(200))
        assert isinstance(seen[-1], ControlAck)
        assert {truth.run_id for truth in truths} == {state.run_id}

    at_console(stopped, play)


def test_truth_telemetry_and_acknowledgement_of_a_step_come_in_order(stopped: str):
    async def play(operator: Operator) -> None:
        seen: list[Msg] = []

        async def saw(message: Msg) -> None:
            seen.append(message)

        await operator.client.subscribe("qiki.>", cb=saw)
        for end in (10, 30):
            before = len(seen)
            assert (await operator.send("sim.step", ticks=20 if end == 30 else 10)).ok
            came = seen[before:]
            answer = next(n for n, one in enumerate(came) if one.subject == topics.RESPONSES.subject)
            last = max(n for n, one in enumerate(came[:answer]) if one.subject == topics.TRUTH.subject)
            told = [one for one in came[last:answer] if one.subject == topics.TELEMETRY.subject]
            assert TelemetrySnapshot.from_json(told[-1].data).sim_state.tick == end
            assert TruthSnapshot.from_json(came[last].data).frame == end // 2 - 1

    at_console(stopped, play)


def test_acknowledgements_say_where_the_simulation_stands(stopped: str):
    async def play(operator: Operator) -> None:
        async def place(name: str, **parameters: Any) -> tuple[str, str, str | None]:
            command = {"command_name": name, "parameters": parameters, "metadata": {"message_id": str(uuid4())}}
            reply = await operator.client.request(topics.COMMANDS.subject, json.dumps(command).encode(), DEADLINE_S)
            broadcast = await operator.answers.next_msg(DEADLINE_S)
            assert reply.headers is not None
            assert reply.headers == broadcast.headers
            return reply.headers["x-qiki-run"], reply.headers["x-qiki-tick"], reply.headers.get("x-qiki-frame")

        run = (await operator.telemetry()).sim_state.run_id
        assert await place("sim.stop") == (run, "0", None)
        assert await place("sim.step", ticks=1) == (run, "1", None)
        assert await place("sim.step", ticks=4) == (run, "5", "1")
        assert await place("sim.step", ticks=0) == (run, "5", "1")
        assert await place("no.such.command") == (run, "5", "1")
        fresh, *rest = await place("sim.reset")
        assert fresh != run
        assert rest == ["0", None]

    at_console(stopped, play)


def test_the_clockwork_of_a_run(stopped: str):
    async def play(operator: Operator) -> None:
        assert (await operator.send("sim.pause")).error_detail is not None
        assert (await operator.send("sim.start", speed=40)).ok
        running = await operator.telemetry(lambda now: now.sim_state.tick > 20)
        assert (running.sim_state.running, running.sim_state.speed) == (True, 40.0)
        refusal = await operator.send("sim.step", ticks=1)
        assert refusal.error_detail is not None
        assert "pause or stop it first" in refusal.error_detail.message
        assert (await operator.send("sim.pause")).ok
        held = await operator.telemetry(lambda now: now.sim_state.paused)
        again = await operator.telemetry()
        assert (held.sim_state.tick, held.timestamp) == (again.sim_state.tick, again.timestamp)
        assert (await operator.send("sim.start")).ok
        await operator.telemetry(lambda now: now.sim_state.tick > held.sim_state.tick)
        assert (await operator.send("sim.stop")).ok
        stopped_now = await operator.telemetry(lambda now: not now.sim_state.running)
        assert not stopped_now.sim_state.paused

    at_console(stopped, play)


def test_a_reset_is_a_new_run_and_a_bad_one_changes_nothing(stopped: str):
    async def play(operator: Operator) -> None:
        assert (await operator.send("sim.step", ticks=10)).ok
        for bad in ({"scenario": "nowhere"}, {"scenario": "../../etc/passwd"}, {"speed": 0}, {"seed": "x"}):
            refusal = await operator.send("sim.reset", **bad)
            assert not refusal.ok
            assert refusal.error == "rejected"
        before = (await operator.telemetry()).sim_state
        assert before.tick == 10
        assert (await operator.send("sim.reset", scenario="empty", seed=4, speed=2)).ok
        state = (await operator.telemetry()).sim_state
        assert state.run_id != before.run_id
        assert (state.tick, state.running, state.speed) == (0, False, 2.0)

    at_console(stopped, play)


def test_the_vehicle_does_what_it_is_told(stopped: str):
    async def play(operator: Operator) -> None:
        async def after(name: str, **parameters: Any) -> TelemetrySnapshot:
            assert (await operator.send(name, **parameters)).ok
            assert (await operator.send("sim.step", ticks=40)).ok
            return await operator.telemetry()

        assert (await after("sim.rcs.fire", axis="up", pct=100, duration_s=1)).velocity == pytest.approx(0.32, abs=0.01)
        assert (await after("sim.rcs.fire", axis="down", pct=50, duration_s=100)).propulsion.rcs_active
        assert not (await after("sim.rcs.stop")).propulsion.rcs_active
        assert (await after("sim.xpdr.mode", mode="SILENT")).comms.xpdr_mode == 2
        docked = await after("sim.dock.engage", port="B")
        assert (docked.docking.state, docked.docking.port) == ("docked", "B")
        assert (await after("power.dock.on")).power.dock_connected
        assert not (await after("power.dock.off")).power.dock_connected
        refusal = await operator.send("sim.rcs.fire", axis="up", pct=1, duration_s=1)
        assert refusal.error_detail is not None
        assert refusal.error_detail.message == "docked at port B: release it first"
        assert (await after("sim.dock.release")).docking.state == "undocked"
        assert (await after("power.nbl.on")).power.nbl_active
        assert (await after("power.nbl.set_max", max_power_w=33)).power.loads_w["nbl"] == 33.0
        assert not (await after("power.nbl.off")).power.nbl_active

    at_console(stopped, play)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"[]",
        b'{"command_name": "sim.start"}',
        b'{"command_name": "sim.start", "parameters": 5, "metadata": {}}',
        b'{"command_name": "sim.unknown", "parameters": {}, "metadata": {}}',
        b'{"command_name": "sim.start", "parameters": {"speed": NaN}, "metadata": {}}',
    ],
)
def test_whatever_comes_gets_one_acknowledgement(stopped: str, body: bytes):
    async def play(operator: Operator) -> None:
        ack = await operator.ask(body)
        assert (ack.ok, ack.success, ack.error, ack.request_id) == (False, False, "rejected", None)
        assert ack.payload.status == "rejected"
        assert (await operator.send("sim.step", ticks=1)).ok  # and nothing but the next command's comes after it
        assert operator.answers.pending_msgs == 0

    at_console(stopped, play)


def command(name: str, message_id: str, **parameters: Any) -> bytes:
    return json.dumps(
        {"command_name": name, "parameters": parameters, "metadata": {"message_id": message_id}}, indent=1
    ).encode()


def test_a_command_that_is_sent_again_is_executed_once_and_gets_the_same_answer(stopped: str):
    async def play(operator: Operator) -> None:
        def step(message_id: str, ticks: int) -> Awaitable[Msg]:
            body = command("sim.step", message_id, ticks=ticks)
            return operator.client.request(topics.COMMANDS.subject, body, DEADLINE_S)

        first = str(uuid4())
        one = await step(first, 5)
        await step(str(uuid4()), 2)
        again = await step(first, 5)
        assert (again.data, again.headers) == (one.data, one.headers)
        assert (await operator.telemetry()).sim_state.tick == 7
        ack: ControlAck = ControlAck.from_json((await step(first, 6)).data)
        assert ack.error_detail is not None
        assert (ack.ok, ack.request_id) == (False, first)
        assert ack.error_detail.message == "its message_id was used for another command"
        other = str(uuid4())
        pair = await asyncio.gather(step(other, 300), step(other, 300))  # the second while the first is executed
        assert pair[0].data == pair[1].data
        assert (await operator.telemetry()).sim_state.tick == 307

    at_console(stopped, play)


@pytest.mark.parametrize("end", ["sim.stop", "sim.pause", "sim.reset"])
def test_a_long_step_is_ended_and_its_sender_learns_how_far_it_came(stopped: str, end: str):
    async def play(operator: Operator) -> None:
        long = command("sim.step", identity := str(uuid4()), ticks=1_000_000)
        step = asyncio.create_task(operator.client.request(topics.COMMANDS.subject, long, DEADLINE_S))
        await operator.telemetry(lambda now: now.sim_state.tick > 0)
        queued = command("sim.step", str(uuid4()), ticks=1_000_000)
        other = asyncio.create_task(operator.client.request(topics.COMMANDS.subject, queued, DEADLINE_S))
        await operator.client.flush()
        reply = await operator.client.request(topics.COMMANDS.subject, command(end, str(uuid4())), DEADLINE_S)
        assert ControlAck.from_json(reply.data).ok
        told = await step
        ack: ControlAck = ControlAck.from_json(told.data)
        assert (ack.ok, ack.request_id, ack.error, ack.payload.status) == (False, identity, "ended", "ended")
        assert ack.error_detail is not None
        done = ack.error_detail.details["ticks_done"]
        assert told.headers is not None
        assert (ack.error_detail.details["ticks"], str(done)) == (1_000_000, told.headers["x-qiki-tick"])
        assert 0 < done < 1_000_000
        second: ControlAck = ControlAck.from_json((await other).data)
        assert second.error_detail is not None
        assert second.error_detail.details["ticks_done"] == 0
        assert (await operator.telemetry()).sim_state.tick == (0 if end == "sim.reset" else done)
        answers = [(await operator.answers.next_msg(DEADLINE_S)).data for _ in range(3)]
        assert answers == [told.data, (await other).data, reply.data]

    at_console(stopped, play)


def test_commands_behind_a_step_are_bounded_and_none_is_without_an_answer(stopped: str):
    async def play(operator: Operator) -> None:
        count = MAX_WAITING + 20
        await operator.client.publish(topics.COMMANDS.subject, command("sim.step", str(uuid4()), ticks=1_000_000))
        await operator.telemetry(lambda now: now.sim_state.tick > 0)
        for _ in range(count):
            await operator.client.publish(topics.COMMANDS.subject, command("sim.rcs.stop", str(uuid4())))
        refused = [ControlAck.from_json((await operator.answers.next_msg(DEADLINE_S)).data) for _ in range(20)]
        assert {ack.error_detail and ack.error_detail.message for ack in refused} == {"256 commands wait already"}
        await operator.client.publish(topics.COMMANDS.subject, command("sim.stop", str(uuid4())))
        rest = [ControlAck.from_json((await operator.answers.next_msg(DEADLINE_S)).data) for _ in range(count - 18)]
        assert [ack.payload.status for ack in rest] == ["ended", *["applied"] * (MAX_WAITING + 1)]

    at_console(stopped, play)


def until(what: str, condition: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline_s, f"never {what}"
        time.sleep(0.01)


def test_the_broker_may_go_and_come_back(tmp_path: Path):
    async def play(operator: Operator) -> None:
        await operator.telemetry(lambda snapshot: snapshot.sim_state.running and snapshot.sim_state.behind_s < 1.0)
        assert (await operator.send("sim.pause")).ok

    (tmp_path / "again").mkdir()
    with ExitStack() as outlives_the_broker:
        with broker(tmp_path) as url:
            sim = simulator(tmp_path, url, TELEMETRY_INTERVAL_SEC="0.05", QIKI_SPEED="4")
            page = outlives_the_broker.enter_context(sim)
        until("unready", lambda: not ready(page))
        with broker(tmp_path / "again", int(url.rpartition(":")[2])):
            until("ready again", lambda: ready(page))
            at_console(url, play)


def test_metrics_count(url: str, tmp_path: Path):
    with simulator(tmp_path, url, QIKI_AUTOSTART="false") as page:

        async def play(operator: Operator) -> None:
            await operator.send("sim.step", ticks=6)
            await operator.send("sim.nothing")

        at_console(url, play)
        with urlopen(f"{page}/metrics", timeout=5) as answer:
            lines = answer.read().decode().splitlines()
    for line in (
        "qiki_sim_ticks_total 6.0",
        "qiki_sim_frames_total 3.0",
        'qiki_sim_commands_total{command="sim.step",result="applied"} 1.0',
        'qiki_sim_commands_total{command="unknown",result="rejected"} 1.0',
    ):
        assert line in lines


def test_a_radar_that_is_taken_away_is_an_event(url: str):
    power = PowerParameters(base_source_w=75.0, soc_shed_low_pct=85.0, soc_shed_high_pct=90.0)
    setup = Setup(BotParameters(power=power), 5000.0, None, load_scenario)
    service = Service("test", SimulatorSettings(nats_url=url), Health("test"))

    async def run() -> None:
        publisher = NatsPublisher(service.events)
        simulated = Simulator(setup, load_scenario("empty"), run_ids(UUID(RUN)))
        ticker = Ticker(simulated, time.monotonic, publisher)
        async with connect(service) as link, Publisher(link) as window:
            await link.jetstream.add_stream(name=topics.QIKI_EVENTS_V1, subjects=[topics.EVENTS.subject])
            reader = await link.jetstream.subscribe(RADAR_SHED.subject)
            async with service.events.sent_by(window):
                await ticker.step(10)
                message = await reader.next_msg(DEADLINE_S)
        event: RadarAvailability = RadarAvailability.from_json(message.data)
        assert (event.run_id, event.available) == (RUN, False)
        assert event.reason == "the radar is shed: BATTERY_LOW"
        assert event.ts_epoch == ticker.world.scenario.epoch.timestamp() + 0.05
        assert message.headers is not None
        assert message.headers[CODE] == "202"

    asyncio.run(run())
