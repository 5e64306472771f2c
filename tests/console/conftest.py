"""A browser on the operator's page. What it shows is asserted, never what a test put there itself.

The browser is Debian's Chromium (`apt install chromium`), or the one that CHROMIUM names; Playwright drives it
(`tox -e console`).
"""

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from qiki_harness.cli.console import links, page_of

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
DESK = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}
WAIT_MS = 30_000


def missing() -> str | None:
    """Return what is missing to drive a browser."""
    try:
        import playwright.sync_api  # noqa: F401, PLC0415
    except ImportError:
        return "takes Playwright: tox -e console"
    return None if chromium() else "takes Chromium: apt install chromium, or CHROMIUM=/path/to/it"


def chromium() -> str | None:
    return os.environ.get("CHROMIUM") or shutil.which("chromium")


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    if reason := missing():
        if os.environ.get("QIKI_BROWSER_TESTS"):  # where they must run
            pytest.fail(reason)
        pytest.skip(reason)
    from playwright.sync_api import sync_playwright  # noqa: PLC0415

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium(), args=list(FLAGS))
        yield opened
        opened.close()


@pytest.fixture
def open_page(browser: Any) -> Iterator[Callable[..., Any]]:
    """Opens an address in a window of its own; at the end the page must have complained of nothing.

    `tolerated`: parts of complaints that belong to the test, such as a connection that it cut.
    """
    windows, complaints = [], []
    tolerated: list[str] = []

    def go(address: str, *, tolerate: tuple[str, ...] = (), **options: Any) -> Any:
        tolerated.extend(tolerate)
        context = browser.new_context(**{"viewport": DESK, "locale": "en-GB", "color_scheme": "dark"} | options)
        windows.append(context)
        page = context.new_page()
        page.set_default_timeout(WAIT_MS)
        page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
        page.on("console", lambda said: complaints.append(said.text) if said.type in {"error", "warning"} else None)
        page.goto(address)
        return page

    yield go
    for context in windows:
        context.close()
    assert [one for one in complaints if not any(part in one for part in tolerated)] == []


def viewer_address(twin: Any) -> str:
    """Return the page's address for everybody."""
    return page_of(twin.stack)[0] + "/"


def operator_address(twin: Any) -> str:
    """Return an address that makes one browser the operator's."""
    return next(line.split()[2] for line in links(*page_of(twin.stack)) if "as operator" in line)


def drawn(page: Any, scope: str = "") -> dict[str, Any]:
    """Return what the plan view shows now: the structure that was painted (`window.qikiDrawn`)."""
    return page.evaluate(
        "name => { const all = window.qikiDrawn ?? {}; return all[name || Object.keys(all)[0]] ?? null }",
        scope,
    )


def until_drawn(page: Any, condition: str, argument: Any = None) -> dict[str, Any]:
    """Wait until a condition on the painted structure `d` holds (JavaScript); return the structure."""
    page.wait_for_function(
        "([condition, argument]) => { const d = Object.values(window.qikiDrawn ?? {})[0];"
        " return d && new Function('d', 'a', `return ${condition}`)(d, argument) }",
        arg=[condition, argument],
    )
    return drawn(page)
