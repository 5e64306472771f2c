"""The screen of `qiki watch`: a table on a terminal, lines elsewhere."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from qiki.contracts.enums import FriendFoe, FSMState, ObjectType, RadarTrackStatus, TransponderMode
from qiki.contracts.radar import RadarTrack
from qiki_harness.cli.feed import Feed
from qiki_harness.errors import StackError
from qiki_harness.stack import ServiceHealth, ServiceStatus, Stack, State

_FRAME_S = 0.2
_PLAIN_S = 1.0
_SIDES = {FriendFoe.FOE: "red", FriendFoe.FRIEND: "green"}


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the table; `width` is that of the widest text: with a blank between them, they fit into 80."""

    head: str
    width: int
    text: Callable[[RadarTrack], str]
    justify: Literal["left", "right"] = "right"


def _contact(track: RadarTrack) -> str:
    spoof = "!" if track.transponder_mode is TransponderMode.SPOOF else ""
    return spoof + (track.transponder_id or str(track.track_id)[:8])[:11]


def _name(value: ObjectType | FriendFoe) -> str:
    return value.name.lower() if value else "-"


COLUMNS = (
    Column("CONTACT", 12, _contact, "left"),
    Column("TYPE", 8, lambda track: _name(track.object_type), "left"),
    Column("SIDE", 7, lambda track: _name(track.iff), "left"),
    Column("STATUS", 8, lambda track: track.status.name.lower(), "left"),
    Column("RANGE m", 7, lambda track: f"{track.range_m:.1f}"),
    Column("BRG °", 5, lambda track: f"{track.bearing_deg:.1f}"),
    Column("ELEV °", 6, lambda track: f"{track.elev_deg:.1f}"),
    Column("VR m/s", 7, lambda track: f"{track.vr_mps:+.1f}"),
    Column("QUAL", 4, lambda track: f"{track.quality:.2f}"),
    Column("AGE s", 5, lambda track: f"{track.age_s:.0f}"),
)


async def show_live(feed: Feed, stack: Stack | None) -> None:
    """Redraw the screen of a terminal."""
    async with feed.running():
        with Live(_screen(feed, stack), screen=True, auto_refresh=False) as live:
            while True:
                await asyncio.sleep(_FRAME_S)
                live.update(_screen(feed, stack), refresh=True)


async def show_lines(feed: Feed, stack: Stack | None) -> None:
    """Print lines once a second: the headline, and one for each track."""
    async with feed.running():
        while True:
            await asyncio.sleep(_PLAIN_S)
            head = [_headline(feed), agent_line(feed), *(str(status) for status in _statuses(stack))]
            rows = [f"{one.timestamp:%H:%M:%S.%f}"[:-5] + " " + " ".join(cells(one)) for one in feed.table.tracks]
            print("\n".join([" | ".join(head), *rows]), flush=True)


def _screen(feed: Feed, stack: Stack | None) -> Group:
    """Return the screen for a terminal of 80 columns or more."""
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="bold", expand=False)
    for column in COLUMNS:
        table.add_column(column.head, justify=column.justify, min_width=column.width, no_wrap=True)
    for track in feed.table.tracks:
        table.add_row(*cells(track), style=_style(track))
    safe = feed.agent is not None and feed.agent.fsm.current_state is FSMState.ERROR_STATE
    agent = Text(agent_line(feed), "red" if safe else "", no_wrap=True, overflow="ellipsis")
    services = Text().join(Text(f"{mark} {name}  ", style) for mark, name, style in map(_mark, _statuses(stack)))
    return Group(Text(_headline(feed)), agent, services, Text(), table)


def cells(track: RadarTrack) -> tuple[str, ...]:
    """Return one row of the table."""
    return tuple(column.text(track) for column in COLUMNS)


def agent_line(feed: Feed) -> str:
    """Return the agent's state, and the causes of SAFE_MODE."""
    if feed.agent is None:
        return "agent: silent"
    name = feed.agent.fsm.current_state.name
    return f"agent: {'SAFE_MODE' if name == 'ERROR_STATE' else name} {'; '.join(feed.agent.causes)}".rstrip()


def _headline(feed: Feed) -> str:
    refused = f", {feed.refused} messages were no tracks" if feed.refused else ""
    return f"{len(feed.table.tracks)} tracks, {feed.state}{refused}"


def _statuses(stack: Stack | None) -> list[ServiceStatus]:
    try:
        return list(stack.info.services.values()) if stack and stack.alive else []
    except StackError:
        return []


def _mark(status: ServiceStatus) -> tuple[str, str, str]:
    if status.ready:
        return "✓", status.name, "green"
    if status.health is ServiceHealth.UNHEALTHY or status.state in {State.EXITED, State.RESTARTING}:
        return "✗", status.name, "red"
    return "…", status.name, "yellow"


def _style(track: RadarTrack) -> str:
    if track.status in {RadarTrackStatus.COASTING, RadarTrackStatus.LOST}:
        return "dim"
    return _SIDES.get(track.iff, "")
