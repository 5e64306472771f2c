"""Times until something is seen: from the address to the first tracks, and from a frame's message to its picture."""

import asyncio
from typing import TYPE_CHECKING, Any

from clients import connect

from browser_page.browser import browser, open_page, until_frame, until_tracks
from browser_page.table import Row, percentiles
from qiki.contracts import topics
from qiki.contracts.radar import TrackedFrame
from qiki_harness.stack import StackInfo

if TYPE_CHECKING:
    from playwright.async_api import Browser

OPENED = 5  # times a run
SETTLE_S = 5.0
INTERVALS = """seconds => new Promise(done => {
    const times = [];
    const note = () => {
        times.push(performance.now());
        if (times.at(-1) - times[0] < 1000 * seconds) requestAnimationFrame(note);
        else done(times.slice(1).map((time, at) => time - times[at]));
    };
    requestAnimationFrame(note);
})"""
"""Returns the intervals between animation frames [ms]."""


async def first_tracks(info: StackInfo, runs: int) -> list[Row]:
    """From the begin of the navigation to the first picture with tracks, each time with nothing cached."""
    times_s = []
    async with browser() as opened:
        for _ in range(OPENED * runs):
            page = await open_page(opened, info)
            times_s.append(await page.evaluate("() => window.benchFirst") / 1000)
            await page.context.close()
    seen, beside = percentiles(times_s, "s", 2), f"{len(times_s)} times, with an empty cache"
    return [Row("address opened to first tracks drawn", seen, "p50 <= 1.5 s", beside)]


async def message_to_pixel(info: StackInfo, seconds: float) -> list[Row]:
    """From the time at which the broker stores a frame's notice, its last message, to the frame's picture."""
    async with browser() as opened:
        floor = await empty_page(opened)
        page = await open_page(opened, info)
        await until_tracks(page, 1)
        await asyncio.sleep(SETTLE_S)
        stored_ms = await stored_notices(info, seconds)
        await until_frame(page, max(frame for _, frame in stored_ms))
        paints, origin_ms = await page.evaluate("() => [window.benchPaints, performance.timeOrigin]")
    first: dict[tuple[str, int], dict[str, Any]] = {}
    for paint in paints:
        if paint["name"] == "":
            first.setdefault((paint["run"], paint["frame"]), paint)
    seen = {frame: first[frame] for frame in stored_ms if frame in first}
    painted = [origin_ms + paint["painted"] - stored_ms[frame] for frame, paint in seen.items()]
    following = [origin_ms + paint["next"] - stored_ms[frame] for frame, paint in seen.items()]
    beside = f"{len(seen)} of {len(stored_ms)} frames painted; an empty page's frames: {percentiles(floor, 'ms', 1)}"
    return [
        Row("message to pixel at 10 Hz", percentiles(painted, "ms"), "p95 <= 60 ms", beside),
        Row("  to the animation frame after it", percentiles(following, "ms")),
    ]


async def stored_notices(info: StackInfo, seconds: float) -> dict[tuple[str, int], float]:
    """Return when the broker stores the notices of tracked frames [Unix ms], by run and frame."""
    stream = topics.QIKI_TRACKER_V1
    client = await connect(info.addresses)
    jetstream = client.jetstream()
    before = (await jetstream.stream_info(stream)).state.last_seq
    await asyncio.sleep(seconds)
    last = (await jetstream.stream_info(stream)).state.last_seq
    messages = [await jetstream.get_msg(stream, sequence) for sequence in range(before + 1, last + 1)]
    await client.close()
    notices = [(TrackedFrame.model_validate_json(one.data or b""), one.time) for one in messages]
    return {(str(notice.run_id), notice.frame): 1000 * time.timestamp() for notice, time in notices if time}


async def empty_page(opened: "Browser") -> list[float]:
    """Return the intervals between the animation frames of a page with nothing in it [ms]."""
    page = await opened.new_page()
    intervals: list[float] = await page.evaluate(INTERVALS, SETTLE_S)
    await page.close()
    return intervals
