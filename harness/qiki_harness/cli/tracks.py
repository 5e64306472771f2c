"""The tracks that `qiki watch` shows: the newest state of each, of the newest run."""

from collections.abc import Callable
from dataclasses import dataclass

from qiki.contracts.enums import FriendFoe, ObjectType, TransponderMode
from qiki.contracts.models import RadarTrack

_KEEP_S = 2.0


@dataclass(frozen=True, slots=True)
class _Seen:
    track: RadarTrack
    at_s: float


class TrackTable:
    """Keeps the newest state of each track. Drops tracks that are no longer reported, but none of a paused world."""

    def __init__(self) -> None:
        self._run = ""
        self._seen: dict[str, _Seen] = {}

    def take(self, track: RadarTrack, run: str, at_s: float) -> None:
        """Take one track message; `at_s` is the time of a monotonic clock."""
        if run != self._run:
            self._run = run
            self._seen.clear()
        self._seen[str(track.track_id)] = _Seen(track, at_s)
        self._seen = {key: seen for key, seen in self._seen.items() if at_s - seen.at_s <= _KEEP_S}

    @property
    def tracks(self) -> list[RadarTrack]:
        """The tracks, nearest first."""
        return sorted((seen.track for seen in self._seen.values()), key=lambda track: track.range_m)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the table.

    Attributes:
        width: of the widest text; with a blank between them, the columns fit into 80
    """

    head: str
    width: int
    text: Callable[[RadarTrack], str]
    is_number: bool = True


def _contact(track: RadarTrack) -> str:
    spoof = "!" if track.transponder_mode is TransponderMode.SPOOF else ""
    return spoof + (track.transponder_id or str(track.track_id)[:8])[:11]


def _name(value: ObjectType | FriendFoe) -> str:
    return value.name.lower() if value else "-"


COLUMNS = (
    Column("CONTACT", 12, _contact, is_number=False),
    Column("TYPE", 8, lambda track: _name(track.object_type), is_number=False),
    Column("SIDE", 7, lambda track: _name(track.iff), is_number=False),
    Column("STATUS", 8, lambda track: track.status.name.lower(), is_number=False),
    Column("RANGE m", 7, lambda track: f"{track.range_m:.1f}"),
    Column("BRG °", 5, lambda track: f"{track.bearing_deg:.1f}"),
    Column("ELEV °", 6, lambda track: f"{track.elev_deg:.1f}"),
    Column("VR m/s", 7, lambda track: f"{track.vr_mps:+.1f}"),
    Column("QUAL", 4, lambda track: f"{track.quality:.2f}"),
    Column("AGE s", 5, lambda track: f"{track.age_s:.0f}"),
)


def cells(track: RadarTrack) -> tuple[str, ...]:
    """Return one row of the table."""
    return tuple(column.text(track) for column in COLUMNS)
