"""The operator's page in headless Chromium, on native stacks: a table of what was measured, each row beside its aim."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

from start import ROOT, options

from browser_page.animation import frames_a_second, swarm
from browser_page.latency import first_tracks, message_to_pixel
from browser_page.load import cpu_shares, memory
from browser_page.table import HEAD, Row
from qiki_harness.stack import Stack, StackInfo
from qiki_harness.testing.browser import lacking

STATIC = ROOT / "services" / "operator_console" / "static"
SCENARIO = "mixed-traffic"
LONGEST = 20  # minutes of the memory's row
ANIMATED = {"swarm-50": (50, 50.0), "swarm-200": (200, 30.0)}  # tracks, aim [frames/s]
MANY = 1000


def measure(folder: Path, runs: int, seconds: float, minutes: float) -> Iterator[str]:
    """Lines of the table, as they are measured; one line with the reason where there is no browser."""
    if reason := lacking():
        yield reason
        return
    yield f"load average at the start {os.getloadavg()[0]:.1f}, of all that runs here; {os.cpu_count()} cores"
    yield HEAD
    yield script_size().line()
    folder.mkdir(parents=True)
    with Stack.start(options(folder / SCENARIO, QIKI_SCENARIO=SCENARIO)) as stack:
        yield from lines(asyncio.run(watched(stack.wait_healthy(), runs, seconds)))
        yield from lines(asyncio.run(memory(stack.info, min(minutes, LONGEST))))
    for name, (tracks, aim) in ANIMATED.items():
        yield from lines(animated(folder / name, name, tracks, runs, aim))
    many = swarm(folder, MANY)
    yield from lines(animated(folder / many.stem, str(many), MANY, runs, None))


async def watched(info: StackInfo, runs: int, seconds: float) -> list[Row]:
    """Rows of the stack with the usual scenario, but for the memory's."""
    delays = await message_to_pixel(info, seconds)
    return [
        *await first_tracks(info, runs),
        *delays,
        *await frames_a_second(info, SCENARIO, 8, runs, 50.0),
        *await cpu_shares(info, seconds),
    ]


def animated(folder: Path, scenario: str, tracks: int, runs: int, aim: float | None) -> list[Row]:
    """Rows of a stack with many tracks."""
    with Stack.start(options(folder, QIKI_SCENARIO=scenario)) as stack:
        return asyncio.run(frames_a_second(stack.wait_healthy(), folder.name, tracks, runs, aim))


def script_size() -> Row:
    """The row of what the browser has to read before it shows anything."""
    scripts = sum(path.stat().st_size for path in STATIC.rglob("*.js"))
    styles = sum(path.stat().st_size for path in STATIC.rglob("*.css"))
    return Row("script before compression", f"{scripts / 1000:.0f} kB", "<= 350 kB", f"style {styles / 1000:.0f} kB")


def lines(rows: list[Row]) -> Iterator[str]:
    """Return the rows as text."""
    return (row.line() for row in rows)
