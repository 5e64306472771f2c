"""The price of identities and of TLS: bridge and gRPC without keys, with keys, and with TLS, in turn in one run."""

import asyncio
import contextlib
import socket
import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from bridge import publish_all, until
from nats.aio.client import Client
from nats.aio.msg import Msg
from traffic import frames, paced, union

from generated import common_types_pb2 as common
from generated import q_sim_api_pb2 as api
from generated.actuator_raw_out_pb2 import ActuatorCommand, CommandType
from generated.q_sim_api_pb2_grpc import QSimAPIServiceStub
from qiki.contracts import headers, topics
from qiki.runtime.grpc import open_channel
from qiki.runtime.identities.credentials import nats_options
from qiki.runtime.nats import new_client
from qiki_harness.testing import Broker, ServiceProcess, StackKeys
from qiki_harness.testing import until as until_true
from qiki_harness.testing.processes import CONFIGURATION

PLAIN, KEYS, TLS = "no identities", "identities", "identities and TLS"
DETECTIONS, FRAMES, PACED, CALLS = 10, 600, 100, 500
LOOPBACK = "127.0.0.1"
COMMAND = api.SendActuatorCommandRequest(
    command=ActuatorCommand(
        actuator_id=common.UUID(value="motor_left"), command_type=CommandType.SET_VELOCITY, float_value=1
    )
)


@dataclass
class Figures:
    """Of one way, one value a round."""

    frames_per_s: list[float] = field(default_factory=list)
    latency_ms: list[float] = field(default_factory=list)
    call_us: list[float] = field(default_factory=list)


def measure(folder: Path, runs: int) -> Iterator[str]:
    """Yield a line for each way; each round has all of them, one after the other."""
    outer = outer_address()
    ways = (PLAIN, KEYS, TLS) if outer else (PLAIN, KEYS)
    figures = {way: Figures() for way in ways}
    for number in range(runs):
        for way in ways:
            place = folder / f"{number}-{ways.index(way)}"
            place.mkdir(parents=True)
            _round(place, way, outer if way == TLS else LOOPBACK, figures[way])
    first = figures[PLAIN]
    for way, seen in figures.items():
        rate, latency, call = map(statistics.median, (seen.frames_per_s, seen.latency_ms, seen.call_us))
        share = [100 * one / other for one, other in zip(seen.frames_per_s, first.frames_per_s, strict=True)]
        yield (
            f"{way}: through the bridge {rate:.0f} frames/s of {DETECTIONS} detections, "
            f"{statistics.median(share):.0f} % of that without; frame to its last track, p50 {latency:.2f} ms; "
            f"an actuator command {call:.0f} us"
        )


def outer_address() -> str | None:
    """Return an address of this machine that is not loopback."""
    found = [one.address for card in psutil.net_if_addrs().values() for one in card if one.family is socket.AF_INET]
    return next((address for address in found if not address.startswith("127.")), None)


def _round(folder: Path, way: str, host: str, figures: Figures) -> None:
    keys = None if way == PLAIN else StackKeys(folder / "keys", [host])
    configuration = keys.broker / "server.conf" if keys else CONFIGURATION
    with ExitStack() as stack, contextlib.redirect_stdout(None):
        broker = stack.enter_context(Broker(folder / "broker", configuration, "0.0.0.0"))
        url = broker.url.replace(LOOPBACK, host)

        def service(module: str, name: str, **settings: Any) -> ServiceProcess:
            own = {"QIKI_KEYS_DIR": keys.of(name)} if keys else {}
            return stack.enter_context(ServiceProcess(module, folder / f"{name}.log", NATS_URL=url, **own, **settings))

        assert service("nats_js_init", "nats-js-init", INIT_TIMEOUT_SEC=60).wait() == 0
        service("faststream_bridge", "faststream-bridge", QIKI_STATE_DIR=folder).ready()
        listen = "0.0.0.0:0" if way == TLS else f"{LOOPBACK}:0"
        simulator = service("q_sim_service", "q-sim-service", QSIM_LISTEN=listen, QIKI_SCENARIO="empty")
        port = until_true("the simulator to serve", lambda: simulator.said("serving"))["grpc_port"]
        tests = keys.of("tests") if keys else None
        figures.call_us.append(_calls(f"{host}:{port}", tests))
        rate, latency = asyncio.run(_bridge(url, nats_options(tests, url)))
        figures.frames_per_s.append(rate)
        figures.latency_ms.append(latency)


def _calls(target: str, keys: Path | None) -> float:
    """Return the time of a command [us]."""
    with open_channel(target, keys) as channel:
        send = QSimAPIServiceStub(channel).SendActuatorCommand
        for _ in range(CALLS // 10):
            send(COMMAND, timeout=10)
        begin = time.perf_counter()
        for _ in range(CALLS):
            send(COMMAND, timeout=10)
        return 1e6 * (time.perf_counter() - begin) / CALLS


async def _bridge(url: str, options: dict[str, Any]) -> tuple[float, float]:
    """Return frames per second from the stream through the bridge, and the latency of paced ones, p50 [ms]."""
    client = new_client()
    await client.connect(url, **options)
    rate = await _throughput(client)
    latency = await _latency(client)
    await client.close()
    return rate, latency


async def _throughput(client: Client) -> float:
    tracked: dict[str, float] = {}

    async def done(message: Msg) -> None:
        tracked[message.headers[headers.FRAME]] = time.perf_counter()

    subscription = await client.subscribe(topics.TRACKED.subject, cb=done)
    await publish_all(client, list(frames(DETECTIONS, FRAMES)))
    await until(lambda: len(tracked) == FRAMES)
    await subscription.unsubscribe()
    return (FRAMES - 1) / (tracked[str(FRAMES - 1)] - tracked["0"])


async def _latency(client: Client) -> float:
    sent: dict[str, float] = {}
    last: dict[str, float] = {}

    async def received(message: Msg) -> None:
        last[message.headers[headers.FRAME]] = time.perf_counter()

    await client.subscribe(topics.TRACKS.subject, cb=received)
    jetstream = client.jetstream()
    async for number, measured in paced(enumerate(frames(DETECTIONS, PACED, seed=2)), 20.0):
        message = union(measured)
        sent[str(number)] = time.perf_counter()
        await jetstream.publish(message.subject, message.body, headers=message.headers)
    await until(lambda: len(last) == PACED)
    return statistics.median(1e3 * (last[frame] - sent[frame]) for frame in sent if int(frame) >= 10)
