"""The screen of `qiki watch`: a table on a terminal, lines elsewhere."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.segment import Segment
from rich.text import Text

from qiki.contracts.enums import FSMState, RadarTrackStatus
from qiki.contracts.radar import RadarTrack
from qiki.runtime.terminal import echo
from qiki.text import printable
from qiki_harness.cli.columns import cells, fitting, head, row
from qiki_harness.cli.feed import Feed
from qiki_harness.cli.statuses import Statuses
from qiki_harness.stack import ServiceHealth, ServiceStatus, Stack, State

_FRAME_S = 0.25
_PLAIN_S = 1.0
_LINES_ABOVE = 4  # headline, agent, a blank, the columns' heads; the services take one or more


@dataclass(frozen=True)
class Page:
    """The content of the screen. Pages that are equal need no drawing.

    The rows are drawn as segments: rich's own table takes ten times as long as all the rest of `qiki watch`.
    """

    headline: str
    agent: tuple[str, str]  # text and style
    services: tuple[tuple[str, str], ...]
    head: str
    rows: tuple[tuple[str, str], ...]
    size: tuple[int, int]  # columns and lines of the terminal

    def __rich_console__(self, console: Console, _: ConsoleOptions) -> RenderResult:
        services = Text().join(Text(printable(name), style) for name, style in self.services)
        room = max(self.size[1] - _LINES_ABOVE - len(services.wrap(console, self.size[0])), 1)
        more = len(self.rows) - room + 1
        yield Text(printable(self.headline), no_wrap=True, overflow="ellipsis")
        agent, agent_style = self.agent
        yield Text(printable(agent), agent_style, no_wrap=True, overflow="ellipsis")
        yield services
        shown = self.rows if more <= 1 else (*self.rows[: room - 1], (f"and {more} more, further away", "dim"))
        for text, style in (("", ""), (self.head, "bold"), *shown):
            yield Segment(printable(text), console.get_style(style or "none"))
            yield Segment.line()


async def show_live(feed: Feed, stack: Stack | None) -> None:
    """Redraw the screen of a terminal when it has changed, four times a second at most."""
    statuses = Statuses(stack)
    async with feed.running():
        with Live(screen=True, auto_refresh=False) as live:
            drawn: Page | None = None
            while True:
                page = make_page(feed, statuses.read(), live.console.size)
                if page != drawn:
                    live.update(page, refresh=True)
                    drawn = page
                await asyncio.sleep(_FRAME_S)


async def show_lines(feed: Feed, stack: Stack | None) -> None:
    """Print lines once a second: the headline, and one for each track."""
    statuses = Statuses(stack)
    async with feed.running():
        while True:
            await asyncio.sleep(_PLAIN_S)
            tracks = feed.table.newest()
            line = " | ".join([headline(feed, tracks), agent_line(feed), *map(str, statuses.read())])
            rows = [f"{one.timestamp:%H:%M:%S.%f}"[:-5] + " " + " ".join(cells(one)) for one in tracks]
            echo(line, *rows)


def make_page(feed: Feed, statuses: Sequence[ServiceStatus], size: tuple[int, int]) -> Page:
    """Return the page for a terminal of a size: of its columns those that fit."""
    tracks = feed.table.newest()
    columns = fitting(size[0])
    safe = feed.agent is not None and feed.agent.fsm.current_state is FSMState.ERROR_STATE
    return Page(
        headline(feed, tracks),
        (agent_line(feed), "red" if safe else ""),
        tuple(map(_mark, statuses)),
        head(columns),
        tuple(row(columns, track) for track in tracks),
        (size[0], size[1]),
    )


def agent_line(feed: Feed) -> str:
    """Return the agent's state, and the causes of SAFE_MODE."""
    if feed.agent is None:
        return "agent: silent"
    name = feed.agent.fsm.current_state.name
    causes = "; ".join(feed.agent.causes)
    return f"agent: {'SAFE_MODE' if name == 'ERROR_STATE' else name} {causes}".rstrip()


def headline(feed: Feed, tracks: Sequence[RadarTrack]) -> str:
    """Return how many tracks there are, and how the connection is.

    New ones may be false alarms, and are counted apart. Lost ones are no more.
    """
    count = Counter(track.status for track in tracks)
    new, lost = count[RadarTrackStatus.NEW], count[RadarTrackStatus.LOST]
    refused = f", {feed.table.refused} messages were no tracks" if feed.table.refused else ""
    return f"{len(tracks) - new - lost} tracks{f', {new} new' if new else ''}, {feed.state}{refused}"


def _mark(status: ServiceStatus) -> tuple[str, str]:
    """Return a service's mark and name, and their style."""
    if status.ready:
        return f"✓ {status.name}  ", "green"
    if status.health is ServiceHealth.UNHEALTHY or status.state in {State.EXITED, State.RESTARTING}:
        return f"✗ {status.name}  ", "red"
    return f"… {status.name}  ", "yellow"
