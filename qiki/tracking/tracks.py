"""The table of tracks: one record a track, in the order of their birth; and its snapshot."""

import json
from dataclasses import asdict, dataclass
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from qiki.arrays import Array, Index, Mask
from qiki.tracking.errors import SnapshotError

POSITION = slice(0, 3)
VELOCITY = slice(3, 6)
ACCELERATION = slice(6, 9)
MOTION = slice(0, 6)
"""Position and velocity: what is measured and reported."""
STATE = 9
MODES = 3
QUIET, GENTLE, HARD = range(MODES)
"""Quiet flight, which has no acceleration, and two manoeuvres; the hard one is the widest mode."""
BLOCK = 64
"""Tracks whose states are worked on at once: their arrays stay in the cache, and below the size from which an
allocation is mapped afresh, page by page."""
NOBODY = -1
"""Index of no identity."""
NO_PLOT = -1
"""In place of a plot's row in its scan."""

TRACK = np.dtype(
    [
        ("counter", "<i8"),  # birth number, from which the track's id follows
        ("born_us", "<i8"),
        ("last_hit_us", "<i8"),
        ("misses", "<i4"),  # in a row
        ("unseen", "<f8"),  # those misses, each weighted by how much it says: less of hidden and blind contacts
        ("hits", "<i4"),
        ("confirmed", "?"),
        ("hit", "?"),  # in the newest scan
        ("llr", "<f8"),  # log-likelihood ratio: real contact against false alarms
        ("detection_probability", "<f8"),
        ("snr", "<f8"),  # smoothed, linear
        ("rcs_m2", "<f8"),  # smoothed
        ("mode_probability", "<f8", (MODES,)),
        ("mode_mean", "<f8", (MODES, STATE)),  # world position, velocity, acceleration
        ("mode_covariance", "<f8", (MODES, STATE, STATE)),
        ("reply_on", "?"),  # of the newest plot
        ("reply_mode", "<i1"),
        ("reply", "<i4"),  # index of the identity claimed
        ("identity", "<i4"),  # index of the identity held
        ("identity_since_us", "<i8"),  # or without one, since its contact claims another's
        ("claims", "<i4"),  # of the identity held; without one, of another's
        ("claimed_us", "<i8"),  # of the newest of them
        ("doubt_us", "<i8"),  # weight of claims of another one
        ("answered_us", "<i8"),  # part of it in which the holder of that one claimed it too
        ("spoof", "?"),
    ]
)

RECORD = np.dtype((np.void, TRACK.itemsize))
"""A record as plain bytes, which numpy copies whole instead of field by field."""
MAGIC = b"QIKITRK1"
HEADER_SIZE = 4
LAYOUT = repr(TRACK.descr)

TrackTable = NDArray[np.void]
NO_TRACKS: TrackTable = np.zeros(0, dtype=TRACK)


@dataclass(frozen=True, eq=False, slots=True)
class Estimate:
    """World state of each track, its modes merged; d is 6, or 9 with the acceleration."""

    mean: Array  # (n, d) [m, m/s, m/s²]
    covariance: Array  # (n, d, d)

    def joined(self, other: "Estimate") -> "Estimate":
        """Return these tracks, then those of `other`."""
        return Estimate(np.concatenate((self.mean, other.mean)), np.concatenate((self.covariance, other.covariance)))


class Modes(NamedTuple):
    """The modes of n tracks: quiet flight, gentle and hard manoeuvre."""

    probability: Array  # (n, 3)
    mean: Array  # (n, 3, 9)
    covariance: Array  # (n, 3, 9, 9)

    @classmethod
    def of(cls, tracks: TrackTable) -> Self:
        """Return views of those in a table."""
        return cls(tracks["mode_probability"], tracks["mode_mean"], tracks["mode_covariance"])

    def take(self, rows: Index) -> "Modes":
        """Return copies of those of an index."""
        return Modes(self.probability[rows], self.mean[rows], self.covariance[rows])

    def merged(self, part: slice = slice(None)) -> Estimate:
        """Merge the modes of a part of the state (Bar-Shalom, Li & Kirubarajan 2001, equations 11.6.6-15 and 16)."""
        weight, mean = self.probability[:, None], self.mean[:, :, part]
        apart = mean - mean[:, :1]
        moment = self.covariance[:, :, part, part] + apart[..., None] * apart[..., None, :]
        middle = (weight @ apart)[:, 0]
        size = mean.shape[-1]
        covariance: Array = (weight @ moment.reshape(-1, MODES, size * size)).reshape(-1, size, size)
        covariance -= middle[:, :, None] * middle[:, None, :]
        return Estimate(mean[:, 0] + middle, covariance)


def merged(tracks: TrackTable) -> Estimate:
    """Return the position and velocity of each track."""
    return Modes.of(tracks).merged(MOTION)


def appended(tracks: TrackTable, born: TrackTable) -> TrackTable:
    """Return the tracks of `tracks`, then those of `born`."""
    table: TrackTable = np.concatenate((tracks.view(RECORD), born.view(RECORD))).view(TRACK)
    return table


def without(tracks: TrackTable, gone: Mask) -> TrackTable:
    """Return the tracks without those of `gone`: (n,)."""
    table: TrackTable = tracks.view(RECORD)[~gone].view(TRACK)
    return table


@dataclass(frozen=True, slots=True)
class Header:
    """The tracker's state beside the table."""

    run_id: str  # of the tracker
    t_us: int | None  # event time of the newest scan, None before the first
    next_counter: int  # birth number of the next track
    false_alarms: float  # mean number a scan; likewise the next
    new_contacts: float
    names: list[str]  # identities by index
    tracks: int  # number of records
    layout: str = LAYOUT  # of a record

    def pack(self, tracks: TrackTable) -> bytes:
        """Write the tracker's state as bytes: a magic number, a JSON header with its length, the table's records."""
        text = json.dumps(asdict(self)).encode()
        return b"".join((MAGIC, len(text).to_bytes(HEADER_SIZE, "little"), text, tracks.tobytes()))

    @classmethod
    def unpack(cls, snapshot: bytes) -> tuple[Self, TrackTable]:
        """Read what `pack` wrote; raise SnapshotError if it is no snapshot, or one of another version."""
        if snapshot[: len(MAGIC)] != MAGIC:
            raise SnapshotError(f"snapshot begins with {snapshot[: len(MAGIC)]!r} (expected {MAGIC!r})")
        start = len(MAGIC) + HEADER_SIZE
        end = start + int.from_bytes(snapshot[len(MAGIC) : start], "little")
        try:
            header = cls(**json.loads(snapshot[start:end]))
        except (ValueError, TypeError) as error:
            raise SnapshotError(f"snapshot's header does not read: {error}") from error
        if header.layout != LAYOUT:
            raise SnapshotError("snapshot of another version of the tracker: its records have other fields")
        expected = header.tracks * TRACK.itemsize
        if len(snapshot) - end != expected:
            raise SnapshotError(f"snapshot's records take {len(snapshot) - end} bytes (expected {expected})")
        return header, np.frombuffer(snapshot, dtype=TRACK, offset=end).copy()
