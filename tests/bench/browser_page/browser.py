"""Debian's Chromium, driven by Playwright, and the page in it. Playwright is imported only when it is used."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from qiki_harness.cli.played import ADDRESS
from qiki_harness.stack import StackInfo
from qiki_harness.testing import until_async
from qiki_harness.testing.browser import FLAGS, chromium

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page, ViewportSize

DESK: "ViewportSize" = {"width": 1280, "height": 800}
CANVAS = ".scope-plan canvas"
WAIT_S = 60.0
PAINTS = Path(__file__).with_name("paints.js")


@asynccontextmanager
async def browser() -> "AsyncIterator[Browser]":
    """Start a browser."""
    from playwright.async_api import async_playwright  # noqa: PLC0415

    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(executable_path=chromium(), args=list(FLAGS))
        try:
            yield opened
        finally:
            await opened.close()


async def open_page(opened: "Browser", info: StackInfo, *, noted: bool = True) -> "Page":
    """Open a stack's page in a context of its own, with nothing cached. `noted`: the page's paints are noted."""
    context = await opened.new_context(viewport=DESK, locale="en-GB", color_scheme="dark")
    page = await context.new_page()
    if noted:
        await page.add_init_script(path=PAINTS)
    await page.goto(info.addresses[ADDRESS] + "/", wait_until="commit")
    return page


async def until_tracks(page: "Page", tracks: int) -> None:
    """Wait until a page knows so many tracks, and show them all."""
    await page.locator(CANVAS).wait_for()

    async def known() -> bool:
        await page.locator(CANVAS).press("f")
        drawn: int = await page.evaluate("() => window.qikiDrawn?.['']?.tracks.length ?? 0")
        return drawn >= tracks

    await until_async(f"{tracks} tracks on the page", known, WAIT_S)


async def shown_frame(page: "Page") -> int:
    """Return the number of the frame that the plan view shows; -1 for none."""
    frame: int = await page.evaluate("() => window.qikiDrawn?.['']?.frame ?? -1")
    return frame


async def until_frame(page: "Page", frame: int, deadline_s: float = WAIT_S) -> None:
    """Wait until the plan view shows a frame, or a later one."""

    async def shown() -> bool:
        return await shown_frame(page) >= frame

    await until_async(f"frame {frame} on the page", shown, deadline_s)


async def processes(opened: "Browser") -> dict[int, str]:
    """Return the kinds of a browser's processes by their ids: `browser`, `renderer`, `GPU` and others."""
    session = await opened.new_browser_cdp_session()
    found = (await session.send("SystemInfo.getProcessInfo"))["processInfo"]
    await session.detach()
    return {one["id"]: one["type"] for one in found if psutil.pid_exists(one["id"])}
