"""The tracks that `qiki watch` shows: the newest state of each, of the newest run."""

from dataclasses import dataclass

from qiki.contracts.enums import FriendFoe, ObjectType, RadarTrackStatus, TransponderMode
from qiki.contracts.models import RadarTrack

# Wide enough for what comes, so that nothing jumps; with a blank between, 80 columns hold them.
WIDTHS = (12, 8, 7, 8, 7, 5, 6, 7, 4, 5)
HEAD = ("CONTACT", "TYPE", "SIDE", "STATUS", "RANGE m", "BRG °", "ELEV °", "VR m/s", "QUAL", "AGE s")
_KEEP_S = 2.0


@dataclass(frozen=True, slots=True)
class _Seen:
    track: RadarTrack
    at_s: float


class TrackTable:
    """Takes tracks as they come. What the tracker no longer reports goes; a paused world stays."""

    def __init__(self) -> None:
        self._run = ""
        self._seen: dict[str, _Seen] = {}

    def take(self, track: RadarTrack, run: str, at_s: float) -> None:
        """Take one track message, at a time of any clock that only goes forward."""
        if run != self._run:
            self._run = run
            self._seen.clear()
        self._seen[str(track.track_id)] = _Seen(track, at_s)
        self._seen = {key: seen for key, seen in self._seen.items() if at_s - seen.at_s <= _KEEP_S}

    @property
    def tracks(self) -> list[RadarTrack]:
        """The tracks, nearest first."""
        return sorted((seen.track for seen in self._seen.values()), key=lambda track: track.range_m)


def cells(track: RadarTrack) -> tuple[str, ...]:
    """One row, under HEAD."""
    spoof = "!" if track.transponder_mode is TransponderMode.SPOOF else ""
    kind = "-" if track.object_type is ObjectType.OBJECT_TYPE_UNSPECIFIED else track.object_type.name.lower()
    side = "-" if track.iff is FriendFoe.FRIEND_FOE_UNSPECIFIED else track.iff.name.lower()
    return (
        spoof + (track.transponder_id or str(track.track_id)[:8])[:11],
        kind,
        side,
        RadarTrackStatus(track.status).name.lower(),
        f"{track.range_m:.1f}",
        f"{track.bearing_deg:.1f}",
        f"{track.elev_deg:.1f}",
        f"{track.vr_mps:+.1f}",
        f"{track.quality:.2f}",
        f"{track.age_s:.0f}",
    )
