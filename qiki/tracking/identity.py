"""Identity: transponders' claims are evidence, counted for each track; contradictions are spoofing.

A track holds the first identity that its contact claims, and keeps it through silence and long range. There are two
contradictions: a contact that goes on to claim another identity, and one identity held by two contacts that are
detected in the same scan at two places. Of those two the earlier holder is believed. Where neither claimed it earlier
by more than chance allows, both are marked.
"""

from collections.abc import Sequence

import numpy as np

from qiki.arrays import Index
from qiki.contracts.enums import TransponderMode
from qiki.tracking.measurement import inverse, quadratic
from qiki.tracking.parameters import TrackerParameters
from qiki.tracking.scan import SECOND_US, Scan
from qiki.tracking.tracks import NOBODY, POSITION, Estimate, TrackTable

OFF, SPOOF = int(TransponderMode.OFF), int(TransponderMode.SPOOF)


class NameBook:
    """Identities as row numbers, for the arrays."""

    def __init__(self, names: Sequence[str] = ()) -> None:
        self._index = {name: index for index, name in enumerate(names)}

    @property
    def names(self) -> list[str]:
        """The names, by index."""
        return list(self._index)

    def indices(self, claims: Sequence[str | None]) -> Index:
        """Return the index of each claim, NOBODY for none; a new name gets the next index."""
        index = self._index
        found = [NOBODY if name is None else index.setdefault(name, len(index)) for name in claims]
        return np.array(found, dtype=np.intp)

    def without_unused(self, tracks: TrackTable) -> "NameBook":
        """Return a book of the names that `tracks` use, and renumber them in the table."""
        used = np.union1d(tracks["identity"], tracks["reply"])
        used = used[used != NOBODY]
        names = self.names
        renumbered = np.full(len(names) + 1, NOBODY)
        renumbered[used] = np.arange(len(used))
        tracks["identity"] = renumbered[tracks["identity"]]
        tracks["reply"] = renumbered[tracks["reply"]]
        return NameBook([names[index] for index in used.tolist()])


def take_replies(
    tracks: TrackTable, rows: Index, scan: Scan, plots: Index, claims: Index, parameters: TrackerParameters
) -> None:
    """Record the replies of this scan in the tracks `rows`, (h,), in place.

    `plots`, (h,), are the tracks' plots, `claims`, (m,), the index of the identity that each plot of the scan claims.
    """
    read = ~scan.long_range[plots]
    tracks["reply_on"][rows] = scan.transponder_on[plots] & read
    tracks["reply_mode"][rows] = np.where(read, scan.transponder_mode[plots], OFF)
    claim = np.where(read, claims[plots], NOBODY)
    tracks["reply"][rows] = claim
    # Another radar may have marked the spoofer already.
    tracks["spoof"][rows] |= tracks["reply_mode"][rows] == SPOOF
    claiming = claim != NOBODY
    if claiming.any():
        _count_claims(tracks, rows[claiming], claim[claiming], scan.t_us, parameters)


def _count_claims(tracks: TrackTable, rows: Index, claim: Index, t_us: int, parameters: TrackerParameters) -> None:
    """Count claims for and against the identity held; the first, or one that replaces a stray one, becomes it."""
    held = tracks["identity"][rows]
    same = held == claim
    tracks["claims"][rows] += same
    tracks["jumps"][rows] = np.where(same | (held == NOBODY), 0, tracks["jumps"][rows] + 1)
    jumped = tracks["jumps"][rows] >= parameters.spoof_scans
    settled = tracks["claims"][rows] >= parameters.identity_claims
    tracks["spoof"][rows] |= jumped & settled
    new = (held == NOBODY) | (jumped & ~settled)
    fresh = rows[new]
    tracks["identity"][fresh] = claim[new]
    tracks["identity_since_us"][fresh] = t_us
    tracks["claims"][fresh] = 1
    tracks["jumps"][fresh] = 0


def find_spoofers(tracks: TrackTable, estimate: Estimate, parameters: TrackerParameters) -> None:
    """Mark the tracks whose identity another track holds elsewhere in the same scan, in place."""
    present = np.flatnonzero(tracks["hit"] & (tracks["identity"] != NOBODY) & ~tracks["spoof"])
    identity = tracks["identity"][present]
    order = np.lexsort((present, tracks["identity_since_us"][present], identity))
    ranked = present[order]
    double = np.flatnonzero(identity[order][1:] == identity[order][:-1])
    contests = tracks["contests"].copy()
    tracks["contests"][present] = 0
    if not len(double):
        return
    starts = np.searchsorted(identity[order], identity[order][double + 1], side="left")
    owner, rival = ranked[starts], ranked[double + 1]
    claiming = tracks["reply"][rival] == tracks["identity"][rival]
    position, covariance = estimate.mean[:, POSITION], estimate.covariance[:, POSITION, POSITION]
    distance = quadratic(position[owner] - position[rival], inverse(covariance[owner] + covariance[rival]))
    apart = distance > parameters.spoof_threshold
    owner, rival = owner[claiming & apart], rival[claiming & apart]
    tracks["contests"][rival] = contests[rival] + 1
    proven = tracks["contests"][rival] >= parameters.spoof_scans
    lead_us = tracks["identity_since_us"][rival] - tracks["identity_since_us"][owner]
    tracks["spoof"][rival[proven]] = True
    tracks["spoof"][owner[proven & (lead_us <= parameters.first_claim_lead_s * SECOND_US)]] = True
