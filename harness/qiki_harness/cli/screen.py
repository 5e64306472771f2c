"""The screen of `qiki watch`: a table on a terminal, lines elsewhere."""

from typing import Literal

from rich.console import Group
from rich.table import Table
from rich.text import Text

from qiki.contracts.enums import FriendFoe, FSMState, RadarTrackStatus
from qiki.contracts.models import RadarTrack
from qiki_harness.cli.feed import Feed
from qiki_harness.cli.tracks import COLUMNS, cells
from qiki_harness.errors import StackError
from qiki_harness.stack import ServiceHealth, ServiceStatus, Stack, State

_SIDES = {FriendFoe.FOE: "red", FriendFoe.FRIEND: "green"}


def screen(feed: Feed, stack: Stack | None) -> Group:
    """Return the screen for a terminal of 80 columns or more."""
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="bold", expand=False)
    for column in COLUMNS:
        justify: Literal["left", "right"] = "right" if column.is_number else "left"
        table.add_column(column.head, justify=justify, min_width=column.width, no_wrap=True)
    for track in feed.table.tracks:
        table.add_row(*cells(track), style=_style(track))
    safe = feed.agent is not None and feed.agent.fsm.current_state is FSMState.ERROR_STATE
    agent = Text(agent_line(feed), "red" if safe else "", no_wrap=True, overflow="ellipsis")
    return Group(Text(headline(feed)), agent, _services(stack), Text(), table)


def headline(feed: Feed) -> str:
    """Return the number of tracks and the state of the connection."""
    refused = f", {feed.refused} messages were no tracks" if feed.refused else ""
    return f"{len(feed.table.tracks)} tracks, {feed.state}{refused}"


def agent_line(feed: Feed) -> str:
    """Return the agent's state, and the causes of SAFE_MODE."""
    if feed.agent is None:
        return "agent: silent"
    name = feed.agent.fsm.current_state.name
    return f"agent: {'SAFE_MODE' if name == 'ERROR_STATE' else name} {'; '.join(feed.agent.causes)}".rstrip()


def lines(feed: Feed, stack: Stack | None) -> list[str]:
    """Return the same as plain lines, one for each track."""
    tracks = [f"{track.timestamp:%H:%M:%S.%f}"[:-5] + " " + " ".join(cells(track)) for track in feed.table.tracks]
    return [" | ".join([headline(feed), agent_line(feed), *(str(status) for status in _statuses(stack))]), *tracks]


def _services(stack: Stack | None) -> Text:
    text = Text()
    for status in _statuses(stack):
        mark, style = _mark(status)
        text.append(f"{mark} {status.name}  ", style)
    return text


def _statuses(stack: Stack | None) -> list[ServiceStatus]:
    try:
        return list(stack.info.services.values()) if stack and stack.alive else []
    except StackError:
        return []


def _mark(status: ServiceStatus) -> tuple[str, str]:
    if status.ready:
        return "✓", "green"
    if status.health is ServiceHealth.UNHEALTHY or status.state in {State.EXITED, State.RESTARTING}:
        return "✗", "red"
    return "…", "yellow"


def _style(track: RadarTrack) -> str:
    if track.status in {RadarTrackStatus.COASTING, RadarTrackStatus.LOST}:
        return "dim"
    return _SIDES.get(track.iff, "")
