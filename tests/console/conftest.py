"""A browser on the operator's page. What it shows is asserted, never what a test put there itself.

The browser is Debian's Chromium (`apt install chromium`), or the one that CHROMIUM names; Playwright drives it
(`tox -e console`).
"""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeVar

import pytest

from qiki_harness.cli.console import links
from qiki_harness.cli.options import QIKI
from qiki_harness.cli.played import page_of
from qiki_harness.errors import DeadlineError
from qiki_harness.testing import until
from qiki_harness.testing.browser import FLAGS, chromium, lacking

T = TypeVar("T")

DESK = {"width": 1280, "height": 800}
WAIT_S = 45.0
CONSOLE = Path(__file__).parents[2] / "console"
AXE = "node_modules/axe-core/axe.min.js"
AXE_RUNS = "() => axe.run(document, {resultTypes: ['violations']})"
SERIOUS = ("serious", "critical")
_TEXTS = "where => [...document.querySelectorAll(where)].map(element => element.innerText)"
_DRAWN = "name => { const all = window.qikiDrawn ?? {}; return all[name ?? Object.keys(all)[0]] ?? null; }"


class Screen:
    """One tab of a browser with the page, in the terms of a person who looks at it.

    Attributes:
        page: Playwright's page, for pointer, keys and roles
    """

    def __init__(self, page: Any, complaints: list[str]) -> None:
        self.page = page
        self._complaints = complaints
        page.set_default_timeout(1000 * WAIT_S)
        page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
        page.on("console", self._said)

    def texts(self, where: str) -> list[str]:
        """Return the seen texts of all elements that a selector finds, each in one line."""
        return [" ".join(text.split()) for text in self.page.evaluate(_TEXTS, where)]

    def text(self, where: str) -> str:
        """Return the seen text of what a selector finds; empty where there is nothing."""
        return " ".join(self.texts(where))

    @property
    def address(self) -> str:
        """The text of the browser's address bar."""
        address: str = self.page.evaluate("() => location.href")
        return address

    @property
    def mode(self) -> str:
        """LIVE, PAST or REPLAY."""
        return self.text(".place .chip")

    @property
    def frame(self) -> int | None:
        """Number of the frame that the bar of time says is shown."""
        found = re.search(r"· (?:frame|кадр) (\d+)", self.text(".place"))
        return int(found[1]) if found else None

    @property
    def agent(self) -> str:
        """The agent's mode."""
        return self.text(".agent .chip")

    @property
    def banner(self) -> str:
        """All that the page says of itself above everything else."""
        return self.text(".banner")

    def rows(self) -> dict[str, list[str]]:
        """Return the cells of the track table, by the first digits of the tracks' ids."""
        read = "rows => rows.map(row => [...row.cells].map(cell => cell.innerText.trim()))"
        return {row[0]: row for row in self.page.locator(".roll tbody tr[id]").evaluate_all(read)}

    def events(self) -> list[str]:
        """Return the lines of the list of events, newest first."""
        self.tab("Events")
        return self.texts(".events li")

    def orders(self) -> list[str]:
        """Return the lines of the list of orders, newest first."""
        self.tab("Orders")
        return self.texts(".orders li")

    def drawn(self, name: str | None = None) -> dict[str, Any] | None:
        """Return what a view shows, as it was painted; without a name the first one. A side view's ends in `/side`."""
        picture: dict[str, Any] | None = self.page.evaluate(_DRAWN, name)
        return picture

    def tab(self, name: str) -> None:
        """Turn to one of the tabs."""
        self.page.get_by_role("tab", name=name, exact=True).click()

    def press(self, name: str) -> None:
        """Press the button with this name."""
        self.page.get_by_role("button", name=name, exact=True).click()

    def drag(self, share: float, begin: float = 0.995) -> None:
        """Drag on the bar of time from one share of its length to another."""
        box = self.page.locator(".slider").bounding_box()
        middle = box["y"] + box["height"] / 2
        self.page.mouse.move(box["x"] + begin * box["width"], middle)
        self.page.mouse.down()
        for part in (0.25, 0.5, 0.75, 1.0):
            self.page.mouse.move(box["x"] + (begin + part * (share - begin)) * box["width"], middle)
        self.page.mouse.up()

    def until(self, what: str, condition: Callable[[], T | None], deadline_s: float = WAIT_S) -> T:
        """Wait until a condition holds; return its value. A failure says what the page shows."""
        try:
            return until(what, condition, deadline_s, poll_s=0.05)
        except DeadlineError as error:
            painted = (self.drawn() or {}).get("frame")
            error.add_note(
                f"it says {self.text('.place')!r} and has painted frame {painted}: {self.text('body')[:4000]}"
            )
            raise

    def until_drawn(
        self, what: str, condition: Callable[[dict[str, Any]], Any], name: str | None = None
    ) -> dict[str, Any]:
        """Wait until a condition on what is painted holds; return the structure."""
        return self.until(what, lambda: (one := self.drawn(name)) and condition(one) and one)

    def go_to(self, frame: int) -> None:
        """Go by the bar's keys to a frame of the oldest run, all of which is stored."""
        self.page.locator(".slider").focus()
        for key, times in (("Home", 1), ("PageUp", frame // 100), ("ArrowRight", frame % 100)):
            for _ in range(times):
                self.page.keyboard.press(key)
        self.until(f"frame {frame}", lambda: (self.mode, self.frame) == ("PAST", frame))
        self.settle()

    def settle(self) -> None:
        """Wait until bar, plan view and panels are of the same frame, and nothing is read."""

        def same() -> bool:
            picture = self.drawn()
            return bool(picture) and picture["frame"] == self.frame and "reading" not in self.text(".place")

        self.until("one moment everywhere", same)

    def another(self, address: str) -> "Screen":
        """Open an address in another tab of the same browser."""
        other = Screen(self.page.context.new_page(), self._complaints)
        other.page.goto(address)
        return other

    def _said(self, message: Any) -> None:
        if message.type in {"error", "warning"}:
            self._complaints.append(f"{message.text} ({message.location.get('url', '')})")


@pytest.fixture(scope="session")
def start_browser() -> Iterator[Callable[..., Any]]:
    """Starts a browser with further flags."""
    if reason := lacking():
        if os.environ.get("QIKI_BROWSER_TESTS"):  # where they must run
            pytest.fail(reason)
        pytest.skip(reason)
    from playwright.sync_api import sync_playwright  # noqa: PLC0415

    with sync_playwright() as playwright:
        yield lambda *flags: playwright.chromium.launch(executable_path=chromium(), args=[*FLAGS, *flags])


@pytest.fixture(scope="session")
def browser(start_browser: Callable[..., Any]) -> Iterator[Any]:
    opened = start_browser()
    yield opened
    opened.close()


@pytest.fixture
def open_page(browser: Any) -> Iterator[Callable[..., Screen]]:
    """Opens an address in a window of its own; at the end the page must have complained of nothing.

    `tolerate`: parts of complaints that belong to the test, such as a connection that it cut. Other options are those
    of a Playwright context.
    """
    windows: list[Any] = []
    complaints: list[str] = []
    tolerated: list[str] = []

    def go(address: str, *, tolerate: tuple[str, ...] = (), on: Any = browser, **options: Any) -> Screen:
        tolerated.extend(tolerate)
        context = on.new_context(**{"viewport": DESK, "locale": "en-GB", "color_scheme": "dark"} | options)
        windows.append(context)
        screen = Screen(context.new_page(), complaints)
        screen.page.goto(address)
        return screen

    yield go
    for context in windows:
        context.close()
    assert [one for one in complaints if not any(part in one for part in tolerated)] == []


@pytest.fixture(scope="session")
def viewer_address() -> Callable[[Any], str]:
    """Gives the page's address for everybody, of a twin."""
    return lambda twin: page_of(twin.stack)[0] + "/"


@pytest.fixture(scope="session")
def operator_address() -> Callable[[Any], str]:
    """Gives an address that makes one browser tab the operator's, of a twin."""
    return lambda twin: next(line.split()[2] for line in links(*page_of(twin.stack)) if "as operator" in line)


@pytest.fixture(scope="session")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The checker's text; a copy of its own is installed where the page's packages are not."""
    folder = CONSOLE
    if not (folder / AXE).exists():
        if not shutil.which("npm"):
            pytest.skip("takes npm, or console/node_modules")
        folder = tmp_path_factory.mktemp("axe")
        for name in ("package.json", "package-lock.json"):
            shutil.copy(CONSOLE / name, folder)
        subprocess.run(["npm", "ci", "--ignore-scripts"], cwd=folder, check=True, capture_output=True, timeout=200)
    return (folder / AXE).read_text()


@pytest.fixture
def complaints(axe: str) -> Callable[..., list[str]]:
    """Gives what the checker finds serious on a page, a line for each element; `impacts` names what else counts."""

    def found(screen: Screen, impacts: tuple[str, ...] = SERIOUS) -> list[str]:
        screen.page.evaluate(axe)
        violations = [one for one in screen.page.evaluate(AXE_RUNS)["violations"] if one["impact"] in impacts]
        return [f"{one['id']}: {node['html'][:200]}" for one in violations for node in one["nodes"]]

    return found


@pytest.fixture(scope="module")
def start_module_twin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Any]]:
    """Starts a native stack for all tests of a module."""
    from qiki_harness.twin import start_twin  # noqa: PLC0415

    twins: list[Any] = []

    def start(scenario: str = "mixed-traffic", **options: Any) -> Any:
        twins.append(start_twin(tmp_path_factory.mktemp("console") / "stack", scenario, **options))
        return twins[-1]

    yield start
    for twin in twins:
        twin.close()


@pytest.fixture(scope="module")
def qiki() -> Callable[..., str]:
    """Runs a command to its end; returns what it prints."""

    def run(*arguments: object) -> str:
        command = [*QIKI, *map(str, arguments)]
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, timeout=240).stdout

    return run


@pytest.fixture(scope="module")
def qiki_page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., tuple[str, str]]]:
    """Runs a command that shows a page, to the end of the module; gives the addresses of viewer and operator."""
    with ExitStack() as ends:

        def start(*arguments: object) -> tuple[str, str]:
            command = [*QIKI, *map(str, arguments), "--run-dir", str(tmp_path_factory.mktemp("page"))]
            process = ends.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
            ends.callback(process.send_signal, signal.SIGINT)
            addresses = (found[1] for line in process.stdout or () if (found := re.search(r"(https?://\S+)", line)))
            return next(addresses), next(addresses)

        yield start


@pytest.fixture(scope="session")
def cells_of() -> Callable[[Mapping[str, Any]], dict[str, list[str]]]:
    """Gives what the table must show of tracks, by the first digits of their ids: side, identity, mark, range."""
    sides = {1: "friend", 2: "foe"}

    def metres(value: float) -> str:
        if value >= 9_999.5:
            return f"{value / 1000:.2f} km"
        return f"{value:.1f} m" if value < 999.95 else f"{value:.0f} m"

    def cells(track: Any) -> list[str]:
        mark = "! false" if track.transponder_mode == 3 else ""
        return [sides.get(track.iff, "unknown"), track.transponder_id or "", mark, metres(track.range_m)]

    return lambda records: {str(one.data.track_id)[:8]: cells(one.data) for one in records}
