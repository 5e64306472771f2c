"""The stack of a run, with what faults act on: proxies on its links, small disks under its volumes, its clocks."""

import asyncio
import contextlib
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from qiki_harness.chaos.means import faketime
from qiki_harness.chaos.plan import CLIENTS, LINKS, VOLUMES, WINDOW_S, Plan
from qiki_harness.chaos.proxy import Proxy
from qiki_harness.stack import Stack
from qiki_harness.twin.native import START_S, options_for

T = TypeVar("T")

DISK_BYTES = 4 << 30
_VARIABLES = {"nats": "NATS_URL", "sim": "QSIM_GRPC"}


@dataclass(frozen=True)
class Rig:
    """A running stack and the handles of its faults."""

    stack: Stack
    proxies: Mapping[tuple[str, str], Proxy]
    clocks: Path

    @property
    def clients_url(self) -> str:
        """The broker's address for the clients, through their proxy."""
        return f"nats://{self.proxies[CLIENTS, 'nats'].address}"

    @property
    def keys(self) -> str:
        """Folder of the tests' credentials."""
        return self.stack.info.addresses["TESTS_KEYS_DIR"]

    @property
    def nats_url(self) -> str:
        """The broker's own address, for the watchers."""
        return self.stack.info.addresses["NATS_URL"]

    def volume(self, name: str) -> Path:
        """Return the folder of a volume."""
        return self.stack.folder.data / name

    async def ask(self, call: Callable[..., T], *arguments: Any) -> T:
        """Call the stack, which blocks, in a thread."""
        return await asyncio.to_thread(call, *arguments)


@asynccontextmanager
async def rigged(folder: Path, plan: Plan, speed: float, scenario: str) -> AsyncIterator[Rig]:
    """Start a stack for a plan; stop it at the end."""
    clocks = folder / "clocks"
    clocks.mkdir(parents=True)
    with _disks(folder / "stack" / "data", plan):
        async with contextlib.AsyncExitStack() as exits:
            proxies = {link: Proxy() for link in LINKS}
            for proxy in proxies.values():
                await proxy.start()
                exits.push_async_callback(proxy.close)
            variables = {
                "QIKI_SCENARIO": scenario, "QIKI_SEED": str(plan.seed), "QIKI_SPEED": f"{speed:g}",
                "QIKI_AUTOSTART": "true",
                "RADAR_DUPLICATE_WINDOW_SEC": f"{WINDOW_S:g}", "EVENTS_DUPLICATE_WINDOW_SEC": f"{WINDOW_S:g}",
            }  # fmt: skip
            options = options_for(folder / "stack", variables)
            environments = _environments(proxies, clocks, plan)
            stack = await asyncio.to_thread(Stack.start, replace(options, environments=environments))
            exits.push_async_callback(asyncio.to_thread, stack.stop)
            _connect(proxies, stack.info.addresses)
            await asyncio.to_thread(stack.wait_healthy, START_S)
            yield Rig(stack, proxies, clocks)


def set_clock(clocks: Path, service: str, offset_s: float) -> None:
    """Move a service's clock; it looks once a second."""
    (clocks / service).write_text(f"{offset_s:+.1f}\n", encoding="ascii")


def resize(folder: Path, size: int) -> None:
    """Change the size of a small disk."""
    subprocess.run(["mount", "-o", f"remount,size={size}", str(folder)], check=True, capture_output=True)


def _environments(proxies: Mapping[tuple[str, str], Proxy], clocks: Path, plan: Plan) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {service: {} for service, _ in proxies if service != CLIENTS}
    for (service, link), proxy in proxies.items():
        if service != CLIENTS:
            found[service][_VARIABLES[link]] = f"nats://{proxy.address}" if link == "nats" else proxy.address
    for service in plan.clocks:
        set_clock(clocks, service, 0.0)
        found[service] |= {  # what is preloaded counts at exec only, so that these are not forked
            "LD_PRELOAD": str(faketime()),
            "FAKETIME_TIMESTAMP_FILE": str(clocks / service),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
        }
    return found


def _connect(proxies: Mapping[tuple[str, str], Proxy], addresses: Mapping[str, str]) -> None:
    nats, (host, _, port) = urlsplit(addresses["NATS_URL"]), addresses["QSIM_GRPC"].rpartition(":")
    upstreams = {"nats": (str(nats.hostname), int(nats.port or 4222)), "sim": (host, int(port))}
    for (_, link), proxy in proxies.items():
        proxy.upstream = upstreams[link]


@contextlib.contextmanager
def _disks(data: Path, plan: Plan) -> Iterator[None]:
    """Mount a small disk under each volume that a fault fills."""
    filled = {fault.parameters["volume"] for fault in plan.faults if fault.kind == "disk"}
    with contextlib.ExitStack() as exits:
        for name in sorted(filled & set(VOLUMES)):
            folder = data / name
            folder.mkdir(parents=True)
            mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(folder)]
            subprocess.run(mount, check=True, capture_output=True)
            exits.callback(subprocess.run, ["umount", "--lazy", str(folder)], check=False)
        yield
