"""Identity over time: which track stands for which contact, and how often that changes.

Correspondences as in CLEAR MOT (Bernardin & Stiefelhagen 2008, section 2.1): a pair lasts as long as it stays within
the gate; the rest is then paired at least total distance. So contacts that cross do not change tracks because, for a
scan, each is nearer to the other's.

The gate grows with range, as the error across the line of sight does: 50 m, and from 5.2 km on 0.55° of the range.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import radians

import numpy as np

from qiki.arrays import Array
from qiki_harness.scoring.metrics import assign, distances
from qiki_harness.scoring.records import ScanRecord

GATE_M = 50.0
"""Narrower than GOSPA's cut-off: contacts in formation are nearer to one another than that."""
WEAKEST_ANGLE_RAD = radians(0.37)
"""Error of the default radar's weakest echoes in either angle: 4° / (1.6 · √(2 SNR)) at its threshold of 13.6 dB."""
GATE_SIGMAS = 1.5
"""A filtered track has less than half of that error, and 99 % of two-dimensional errors are within three deviations."""
FAR = 1e6


@dataclass
class IdentityCount:
    """Counts of a run."""

    switches: int = 0  # contacts that were taken over by another track
    fragments: int = 0  # gaps in the tracking of a contact that was tracked before and after
    # contact -> time from its first being there to its first track
    confirm_s: dict[str, float] = field(default_factory=dict)
    never: list[str] = field(default_factory=list)  # contacts that never had a track
    pairs: list[dict[str, str]] = field(default_factory=list)  # contact -> track, scan by scan


def count_identities(scans: Sequence[ScanRecord], gate_m: float = GATE_M) -> IdentityCount:
    """Count the changes of identity in a run; `gate_m` is the gate of near contacts."""
    count = IdentityCount()
    first_s: dict[str, float] = {}
    last: dict[str, str] = {}
    lost: set[str] = set()
    tracked: dict[str, str] = {}
    for scan in scans:
        tracked = correspondences(scan, tracked, gate_m)
        for contact in scan.truth.ids:
            first_s.setdefault(contact, scan.t_s)
        for contact, track in tracked.items():
            count.confirm_s.setdefault(contact, scan.t_s - first_s[contact])
            count.switches += last.get(contact, track) != track
            count.fragments += contact in lost
        last.update(tracked)
        # A contact that was away, and not lost, leaves no gap.
        lost = {contact for contact in scan.truth.ids if contact in last and contact not in tracked}
        count.pairs.append(tracked)
    count.never = [contact for contact in first_s if contact not in last]
    return count


def correspondences(scan: ScanRecord, before: dict[str, str], gate_m: float) -> dict[str, str]:
    """Return contact -> track in a scan, given those of the scan before."""
    apart = distances(scan.truth.position, scan.tracks.position)
    inside = apart < gates(scan, gate_m)[:, None]
    row = {contact: index for index, contact in enumerate(scan.truth.ids)}
    column = {track: index for index, track in enumerate(scan.tracks.ids)}
    kept = {
        contact: track
        for contact, track in before.items()
        if contact in row and track in column and inside[row[contact], column[track]]
    }
    taken = set(kept.values())
    contacts = [contact for contact in scan.truth.ids if contact not in kept]
    tracks = [track for track in scan.tracks.ids if track not in taken]
    left = np.ix_([row[one] for one in contacts], [column[one] for one in tracks])
    # A pair out of the gate is dearer than any number of pairs within it.
    rows, columns = assign(np.where(inside[left], apart[left], FAR))
    near = inside[left][rows, columns]
    pairs = zip(rows[near].tolist(), columns[near].tolist(), strict=True)
    return kept | {contacts[one]: tracks[other] for one, other in pairs}


def gates(scan: ScanRecord, gate_m: float) -> Array:
    """Return the distance at which a track ceases to stand for each contact of a scan: (n,) [m]."""
    away = scan.truth.position - scan.own_position
    wide: Array = GATE_SIGMAS * WEAKEST_ANGLE_RAD * np.sqrt(np.vecdot(away, away))
    return np.maximum(gate_m, wide)
