"""The columns of `qiki watch`, and the rows that they make of tracks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

from rich.cells import set_cell_size

from qiki.contracts.enums import FriendFoe, ObjectType, RadarTrackStatus, TransponderMode
from qiki.contracts.radar import RadarTrack
from qiki.text import printable

_SIDES = {FriendFoe.FOE: "red", FriendFoe.FRIEND: "green"}
_FADED = {RadarTrackStatus.COASTING, RadarTrackStatus.LOST}


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the table.

    Attributes:
        width: of the widest text; with a blank between them, all columns fit into 80
        rank: the columns of the highest ranks are left out where a terminal is too narrow for all
    """

    head: str
    width: int
    rank: int
    text: Callable[[RadarTrack], str]
    justify: Literal["left", "right"] = "right"

    def cell(self, text: str) -> str:
        """Return a text in the width of the column."""
        return set_cell_size(text, self.width) if self.justify == "left" else text.rjust(self.width)


def _contact(track: RadarTrack) -> str:
    spoof = "!" if track.transponder_mode is TransponderMode.SPOOF else ""
    return spoof + printable(track.transponder_id or str(track.track_id)[:8])[:11]


def _name(value: ObjectType | FriendFoe) -> str:
    return value.name.lower() if value else "-"


COLUMNS = (
    Column("CONTACT", 12, 0, _contact, "left"),
    Column("TYPE", 8, 6, lambda track: _name(track.object_type), "left"),
    Column("SIDE", 7, 4, lambda track: _name(track.iff), "left"),
    Column("STATUS", 8, 5, lambda track: track.status.name.lower(), "left"),
    Column("RANGE m", 7, 1, lambda track: f"{track.range_m:.1f}"),
    Column("BRG °", 5, 2, lambda track: f"{track.bearing_deg:.1f}"),
    Column("ELEV °", 6, 7, lambda track: f"{track.elev_deg:.1f}"),
    Column("VR m/s", 7, 3, lambda track: f"{track.vr_mps:+.1f}"),
    Column("QUAL", 4, 8, lambda track: f"{track.quality:.2f}"),
    Column("AGE s", 5, 9, lambda track: f"{track.age_s:.0f}"),
)


@cache
def fitting(width: int) -> tuple[Column, ...]:
    """Return the columns that a terminal has room for."""
    kept: list[Column] = []
    for column in sorted(COLUMNS, key=lambda one: one.rank):
        if sum(one.width + 1 for one in [*kept, column]) > width + 1:
            break
        kept.append(column)
    return tuple(column for column in COLUMNS if column in kept)


def cells(track: RadarTrack) -> tuple[str, ...]:
    """Return the texts of one track."""
    return tuple(column.text(track) for column in COLUMNS)


def head(columns: Sequence[Column]) -> str:
    """Return the line above the rows."""
    return " ".join(column.cell(column.head) for column in columns)


def row(columns: Sequence[Column], track: RadarTrack) -> tuple[str, str]:
    """Return the line of one track, and its style."""
    text = " ".join(column.cell(column.text(track)) for column in columns)
    return text, "dim" if track.status in _FADED else _SIDES.get(track.iff, "")
