"""The faults: each kind is a context that begins the fault and heals it."""

import asyncio
import contextlib
import os
import resource
import signal
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from qiki_harness.chaos.plan import Fault
from qiki_harness.chaos.rig import DISK_BYTES, Rig, resize, set_clock
from qiki_harness.errors import StackError

_AGAIN_S = 0.5
_ROOM_BYTES = 64 << 10
_NO_LIMIT = resource.RLIM_INFINITY
Context = Callable[[Rig, Fault], AbstractAsyncContextManager[None]]


@asynccontextmanager
async def kill(rig: Rig, fault: Fault) -> AsyncIterator[None]:
    """SIGKILL, perhaps again in the next life."""
    for number in range(fault.parameters["times"]):
        if number:
            await asyncio.sleep(_AGAIN_S)
        await _signal(rig, fault, signal.SIGKILL)
    yield


@asynccontextmanager
async def freeze(rig: Rig, fault: Fault) -> AsyncIterator[None]:
    """SIGSTOP: connections stay open, and nothing is read."""
    await _signal(rig, fault, signal.SIGSTOP)
    yield
    await _signal(rig, fault, signal.SIGCONT)


@asynccontextmanager
async def cut(rig: Rig, fault: Fault) -> AsyncIterator[None]:
    """Nothing passes on a link, one way or both."""
    proxy = rig.proxies[fault.parameters["service"], fault.parameters["link"]]
    proxy.cut(fault.parameters["way"])
    yield
    proxy.heal()


@asynccontextmanager
async def slow(rig: Rig, fault: Fault) -> AsyncIterator[None]:
    """All on a link is delayed and throttled."""
    proxy = rig.proxies[fault.parameters["service"], fault.parameters["link"]]
    proxy.slow(fault.parameters["delay_ms"] / 1e3, fault.parameters["rate_kb_s"] * 1e3)
    yield
    proxy.heal()


@asynccontextmanager
async def memory(rig: Rig, fault: Fault) -> AsyncIterator[None]:
    """No more address space than it has, and a margin."""
    pid = _pid(rig, fault)
    if pid is not None:
        with contextlib.suppress(OSError):
            limit = _address_space(pid) + (fault.parameters["margin_mb"] << 20)
            resource.prlimit(pid, resource.RLIMIT_AS, (limit, _NO_LIMIT))
    yield
    if pid is not None and pid == _pid(rig, fault):
        with contextlib.suppress(OSError):
            resource.prlimit(pid, resource.RLIMIT_AS, (_NO_LIMIT, _NO_LIMIT))


@asynccontextmanager
async def disk(rig: Rig, fault: Fault) -> AsyncIterator[None]:
    """A volume's disk becomes as small as what is on it."""
    folder = rig.volume(fault.parameters["volume"])
    space = os.statvfs(folder)
    resize(folder, (space.f_blocks - space.f_bfree) * space.f_frsize + _ROOM_BYTES)
    yield
    resize(folder, DISK_BYTES)


@asynccontextmanager
async def clock(rig: Rig, fault: Fault) -> AsyncIterator[None]:
    """The wall clock of a service steps, and back."""
    set_clock(rig.clocks, fault.parameters["service"], fault.parameters["offset_s"])
    yield
    set_clock(rig.clocks, fault.parameters["service"], 0.0)


@asynccontextmanager
async def away(rig: Rig, fault: Fault) -> AsyncIterator[None]:
    """A service is stopped, and started again when the fault is over."""
    await rig.ask(rig.stack.stop_service, fault.parameters["service"])
    yield
    await rig.ask(rig.stack.start_service, fault.parameters["service"])


FAULTS: Mapping[str, Context] = {
    "kill": kill, "freeze": freeze, "cut": cut, "slow": slow,
    "memory": memory, "disk": disk, "clock": clock, "away": away,
}  # fmt: skip


async def _signal(rig: Rig, fault: Fault, number: signal.Signals) -> None:
    with contextlib.suppress(StackError):  # another fault has just ended it
        await rig.ask(rig.stack.kill, fault.parameters["service"], number)


def _address_space(pid: int) -> int:
    """Return the size of a process's address space [byte]."""
    pages = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[0]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def _pid(rig: Rig, fault: Fault) -> int | None:
    return rig.stack.info.services[fault.parameters["service"]].pid
