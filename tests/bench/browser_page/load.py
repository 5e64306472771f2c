"""The page's memory over some minutes, and CPU of who watches and who is watched."""

import asyncio
import time
from collections.abc import Mapping
from itertools import pairwise
from statistics import linear_regression, median
from typing import TYPE_CHECKING

import psutil
from onlookers import SETTLE_S, cpu_s

from browser_page.browser import browser, open_page, processes, shown_frame, until_frame, until_tracks
from browser_page.table import Row
from qiki_harness.stack import StackInfo

if TYPE_CHECKING:
    from playwright.async_api import Browser, CDPSession

SAMPLES = 60
FRAME_RATE_HZ = 10.0
PAGES = (0, 1, 3)
SERVICES = ("nats", "operator-console")


async def memory(info: StackInfo, minutes: float) -> list[Row]:
    """The script's heap after a collection, and the private memory of the renderer."""
    async with browser() as opened:
        page = await open_page(opened, info, noted=False)
        await until_tracks(page, 1)
        session = await page.context.new_cdp_session(page)
        began = time.monotonic()
        frames = round(60 * minutes * FRAME_RATE_HZ / SAMPLES)
        sampled: list[tuple[float, float, float]] = []
        while len(sampled) < SAMPLES:
            await until_frame(page, await shown_frame(page) + frames, 60 + 2 * frames / FRAME_RATE_HZ)
            heap, private = await heap_mb(session), await private_mb(opened)
            sampled.append(((time.monotonic() - began) / 60, heap, private))
    minute, heaps, privates = zip(*sampled, strict=True)
    return [
        grown(f"heap after a collection, {minutes:g} minutes", minute, heaps),
        grown(f"private memory of the renderer, {minutes:g} minutes", minute, privates),
    ]


def grown(what: str, minutes: tuple[float, ...], values: tuple[float, ...]) -> Row:
    """Return the row of some memory: its median in the first and the last third, and its slope over the second half.

    Before, the page still fills what it keeps: ten minutes of readings.
    """
    third, half = len(values) // 3, len(values) // 2
    slope = linear_regression(minutes[half:], values[half:]).slope
    seen = f"{median(values[:third]):.1f}, then {median(values[-third:]):.1f} MB"
    return Row(what, seen, "flat", f"{1000 * slope:+.0f} kB/min in the second half")


async def heap_mb(session: "CDPSession") -> float:
    """Return the used heap of the page's script after a collection."""
    await session.send("HeapProfiler.collectGarbage")
    used: float = (await session.send("Runtime.getHeapUsage"))["usedSize"]
    return used / 1e6


async def private_mb(opened: "Browser") -> float:
    """Return the private memory of the greatest renderer: the others are spare."""
    kinds = await processes(opened)
    return max(psutil.Process(pid).memory_full_info().uss for pid, kind in kinds.items() if kind == "renderer") / 1e6


async def cpu_shares(info: StackInfo, seconds: float) -> list[Row]:
    """The shares of a core while so many pages are open."""
    rows = []
    async with browser() as opened:
        for before, pages in pairwise((0, *PAGES)):
            for page in [await open_page(opened, info, noted=False) for _ in range(pages - before)]:
                await until_tracks(page, 1)
            await asyncio.sleep(SETTLE_S)
            groups = {name: {pid} for name in SERVICES if (pid := info.services[name].pid)}
            kinds = await processes(opened)
            groups["renderers"] = {pid for pid, kind in kinds.items() if kind == "renderer"}
            groups["browser's other processes"] = kinds.keys() - groups["renderers"]
            found = await shares(groups, seconds)
            text = ", ".join(f"{name} {share:.1f} %" for name, share in found.items())
            rows.append(Row(f"share of a core, {pages} pages", f"renderers {found['renderers']:.1f} %", "", text))
    return rows


async def shares(groups: Mapping[str, set[int]], seconds: float) -> dict[str, float]:
    """Return the shares of a core that groups of processes take [%]."""
    running = {name: [psutil.Process(pid) for pid in pids] for name, pids in groups.items()}
    before, began = {name: sum(map(cpu_s, ones)) for name, ones in running.items()}, time.monotonic()
    await asyncio.sleep(seconds)
    span_s = time.monotonic() - began
    return {name: 100 * (sum(map(cpu_s, ones)) - before[name]) / span_s for name, ones in running.items()}
