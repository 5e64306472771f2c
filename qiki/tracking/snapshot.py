"""Snapshot: the tracker's whole state as bytes: a magic number, a JSON header with its length, the table's records."""

import json
from dataclasses import asdict, dataclass

import numpy as np

from qiki.tracking.errors import SnapshotError
from qiki.tracking.tracks import TRACK, TrackTable

MAGIC = b"QIKITRK1"
HEADER_SIZE = 4
LAYOUT = repr(TRACK.descr)


@dataclass(frozen=True, slots=True)
class Header:
    """The state beside the table."""

    run_id: str  # of the tracker
    t_us: int | None  # event time of the newest scan, None before the first
    next_counter: int  # birth number of the next track
    false_alarms: float  # mean number a scan
    names: list[str]  # identities by index
    tracks: int  # number of records
    layout: str = LAYOUT  # of a record


def pack(header: Header, tracks: TrackTable) -> bytes:
    """Write a tracker's state."""
    text = json.dumps(asdict(header)).encode()
    return b"".join((MAGIC, len(text).to_bytes(HEADER_SIZE, "little"), text, tracks.tobytes()))


def unpack(snapshot: bytes) -> tuple[Header, TrackTable]:
    """Read what `pack` wrote.

    Raises:
        SnapshotError: not a snapshot, or one of another version.
    """
    if snapshot[: len(MAGIC)] != MAGIC:
        raise SnapshotError(f"snapshot begins with {snapshot[: len(MAGIC)]!r} (expected {MAGIC!r})")
    start = len(MAGIC) + HEADER_SIZE
    end = start + int.from_bytes(snapshot[len(MAGIC) : start], "little")
    try:
        header = Header(**json.loads(snapshot[start:end]))
    except (ValueError, TypeError) as error:
        raise SnapshotError(f"snapshot's header does not read: {error}") from error
    if header.layout != LAYOUT:
        raise SnapshotError("snapshot of another version of the tracker: its records have other fields")
    expected = header.tracks * TRACK.itemsize
    if len(snapshot) - end != expected:
        raise SnapshotError(f"snapshot's records take {len(snapshot) - end} bytes (expected {expected})")
    return header, np.frombuffer(snapshot, dtype=TRACK, offset=end).copy()
