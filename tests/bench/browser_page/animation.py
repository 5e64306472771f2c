"""Frames a second that the page draws while each of them differs."""

from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from browser_page.browser import CANVAS, browser, open_page, until_tracks
from browser_page.latency import INTERVALS
from browser_page.table import Row, percentiles
from qiki_harness.stack import StackInfo

if TYPE_CHECKING:
    from playwright.async_api import CDPSession, Page

IDLE_S = 3.0
SWINGS = 5
WHEEL = 200  # [px], from all tracks fitted to a view of 1.65 times the radius, and back
SPEED = 200  # [px/s]
PAINTED = """() => {
    const turned = window.benchWheel.splice(0);
    const times = window.benchPaints.filter(({ name }) => name === "").map(({ painted }) => painted);
    return times.filter(time => turned[0] < time && time < turned.at(-1));
}"""
"""Returns the times of the plan view's paints, from the first to the last event of the wheel since the call before."""
SWARM = """name: swarm-{count}
description: {count} drones without transponders circle within 7 km
seed: {count}
frame_rate_hz: 1
swarms:
  - id: bee
    count: {count}
    object_type: DRONE
    rcs_m2: 2
    radius_m: [1500, 6500]
    speed_mps: [10, 40]
    turn_rate_dps: [0, 3]
"""


def swarm(folder: Path, count: int) -> Path:
    """Write a scenario like `swarm-200` with another number of contacts."""
    path = folder / f"swarm-{count}.yaml"
    path.write_text(SWARM.format(count=count))
    return path


async def frames_a_second(info: StackInfo, name: str, tracks: int, runs: int, aim: float | None) -> list[Row]:
    """Paints of the plan view while the mouse wheel turns, beside the page's animation frames while nothing does."""
    rates, intervals, idle = [], [], []
    async with browser() as opened:
        page = await open_page(opened, info)
        await until_tracks(page, round(0.9 * tracks))
        for _ in range(runs):
            idle += await page.evaluate(INTERVALS, IDLE_S)
            between = await swung(page)
            intervals += between
            rates.append(1000 * len(between) / sum(between))
        drawn = await page.evaluate("() => window.qikiDrawn['']")
    return rows(f"{name}: {len(drawn['tracks'])} tracks drawn, wheel turned", rates, intervals, idle, aim, drawn)


def rows(
    what: str, rates: list[float], between: list[float], idle: list[float], aim: float | None, drawn: dict[str, Any]
) -> list[Row]:
    """Return the row of one scenario, and the page's own words where it leaves out something."""
    ceiling = 1000 * len(idle) / sum(idle)
    beside = f"{ceiling:.1f} animation frames/s with the wheel at rest; interval {percentiles(between, 'ms')}"
    found = [Row(what, f"{median(rates):.1f} frames/s", f">= {aim:.0f}" if aim else "usable", beside)]
    return found + [Row("  the page says", note) for note in drawn["notes"]]


async def swung(page: "Page") -> list[float]:
    """Turn the mouse wheel to and fro; return the intervals between the plan view's paints meanwhile [ms]."""
    session = await page.context.new_cdp_session(page)
    box = await page.locator(CANVAS).bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    intervals = []
    for distance in (-WHEEL, WHEEL) * SWINGS:
        await turn(session, x, y, distance)
        paints: list[float] = await page.evaluate(PAINTED)
        intervals += [after - before for before, after in pairwise(paints)]
    await session.detach()
    return intervals


async def turn(session: "CDPSession", x: float, y: float, distance: int) -> None:
    """Turn the mouse wheel at a place; the browser makes the events itself, one for each frame."""
    gesture = {"x": x, "y": y, "yDistance": distance, "speed": SPEED, "gestureSourceType": "mouse"}
    await session.send("Input.synthesizeScrollGesture", gesture)
