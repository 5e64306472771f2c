"""Identity: transponders' claims are evidence, gathered for each track over time; contradictions are spoofing.

A track holds the first identity that its contact claims, unless another track holds it, and keeps it through silence
and long range. The claim of another identity is a contradiction. A slip of a reply, or one of a neighbour's, weighs
little. If two contacts met and a track took over the other one's plots, `qiki.tracking.continuity` exchanges the two
tracks. Else seconds of contradiction prove spoofing, at any rate of scans. Of two contacts that claim one identity the
earlier one is believed. Where neither claimed it earlier by more than chance allows, both are marked.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from qiki.arrays import Index, Mask
from qiki.contracts.enums import TransponderMode
from qiki.tracking.measurement import inverse, quadratic
from qiki.tracking.parameters import TrackerParameters
from qiki.tracking.scan import SECOND_US, Scan
from qiki.tracking.tracks import NOBODY, POSITION, Estimate, TrackTable

OFF, SPOOF = int(TransponderMode.OFF), int(TransponderMode.SPOOF)
SCANS = 3
"""No proof has fewer scans: each counts for its time, and for at most such a part of the time of a proof."""


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


@dataclass(frozen=True, eq=False, slots=True)
class Contradictions:
    """Tracks whose plots claim identities that they do not hold."""

    track: Index  # (k,) rows
    holder: Index  # (k,) rows of the tracks that hold those identities, NOBODY where there is none

    def __len__(self) -> int:
        return len(self.track)

    def without(self, tracks: Index) -> "Contradictions":
        """Return those of other tracks."""
        kept = ~np.isin(self.track, tracks)
        return Contradictions(self.track[kept], self.holder[kept])


NO_CONTRADICTIONS = Contradictions(np.zeros(0, dtype=np.intp), np.zeros(0, dtype=np.intp))


def take_replies(tracks: TrackTable, rows: Index, scan: Scan, plots: Index, claims: Index) -> Index:
    """Record the replies of this scan in the tracks `rows`, (h,), in place; return those that claim another identity.

    `plots`, (h,), are the tracks' plots, `claims`, (m,), the index of the identity that each plot of the scan claims.
    """
    read = ~scan.long_range[plots]
    mode = np.where(read, scan.transponder_mode[plots], OFF)
    claim = np.where(read, claims[plots], NOBODY)
    tracks["reply_on"][rows] = scan.transponder_on[plots] & read
    tracks["reply_mode"][rows] = mode
    tracks["reply"][rows] = claim
    # Another radar may have marked the spoofer already.
    tracks["spoof"][rows] |= mode == SPOOF
    claiming = claim != NOBODY
    equal = claim == tracks["identity"][rows]
    agreed = rows[claiming & equal]
    tracks["claims"][agreed] += 1
    tracks["claimed_us"][agreed] = scan.t_us
    contrary: Index = rows[claiming & ~equal]
    return contrary


def adopt(tracks: TrackTable, rows: Index, t_us: int, parameters: TrackerParameters) -> None:
    """Let the tracks `rows`, (k,), hold the identities that they claim, in place.

    A settled identity stays. One that another track holds is not given, unless that track has it from one reply and
    is silent now.
    """
    rows = rows[~_settled(tracks, rows, parameters) & ~tracks["spoof"][rows]]
    if not len(rows):
        return
    claim = tracks["reply"][rows]
    holder = _holders(tracks)[claim]
    weak = (holder != NOBODY) & ~_settled(tracks, holder, parameters) & ~_answers(tracks, holder, claim)
    first = np.zeros(len(rows), dtype=np.bool_)
    first[np.unique(claim, return_index=True)[1]] = True
    given = first & ((holder == NOBODY) | weak)
    _forget(tracks, np.concatenate((rows, holder[given & weak])))
    fresh = rows[given]
    tracks["identity"][fresh] = claim[given]
    tracks["claims"][fresh] = 1
    tracks["claimed_us"][fresh] = t_us
    tracks["doubt_us"][fresh] = tracks["answered_us"][fresh] = 0
    since = rows[given | (tracks["doubt_us"][rows] == 0)]
    tracks["identity_since_us"][since] = t_us


def weigh(
    tracks: TrackTable, rows: Index, estimate: Estimate, elapsed_us: int, parameters: TrackerParameters
) -> Contradictions:
    """Weigh the claims of the tracks `rows`, (k,), against their identities, in place; return the contradictions.

    Two tracks that are not apart may have one another's plots: their replies prove nothing.
    """
    weight_us = min(elapsed_us, round(parameters.spoof_s * SECOND_US) // SCANS)
    rows = rows[(tracks["reply"][rows] != tracks["identity"][rows]) & ~tracks["spoof"][rows]]
    _ease(tracks, rows, weight_us)
    if not len(rows):
        return NO_CONTRADICTIONS
    claim = tracks["reply"][rows]
    holder = _holders(tracks)[claim]
    counted = (holder == NOBODY) | ~tracks["hit"][holder] | _apart(estimate, rows, holder, parameters)
    tracks["doubt_us"][rows[counted]] += weight_us
    tracks["answered_us"][rows[counted & _answers(tracks, holder, claim)]] += weight_us
    tracks["claims"][rows[tracks["identity"][rows] == NOBODY]] += 1
    return Contradictions(rows, holder)


def mark_spoofers(tracks: TrackTable, found: Contradictions, parameters: TrackerParameters) -> None:
    """Mark the tracks whose contradictions have lasted, in place.

    A track that never had an identity contradicts only the one that holds it, as long as that is seen.
    """
    proven = tracks["doubt_us"][found.track] >= parameters.spoof_s * SECOND_US
    rival, owner = found.track[proven], found.holder[proven]
    nameless = tracks["identity"][rival] == NOBODY
    tracks["spoof"][rival[~nameless | tracks["hit"][owner]]] = True
    lead_us = tracks["identity_since_us"][rival] - tracks["identity_since_us"][owner]
    at_once = nameless & (lead_us <= parameters.first_claim_lead_s * SECOND_US)
    tracks["spoof"][owner[at_once & tracks["spoof"][rival]]] = True


def _ease(tracks: TrackTable, contrary: Index, weight_us: int) -> None:
    """Take doubt from the tracks that answer as they should, in place: half as much from those without an identity."""
    doubtful = tracks["doubt_us"] > 0
    doubtful[contrary] = False
    rows = np.flatnonzero(doubtful & tracks["hit"])
    if not len(rows):
        return
    identity, reply = tracks["identity"][rows], tracks["reply"][rows]
    eased = np.where(identity == NOBODY, weight_us // 2, np.where(reply == identity, weight_us, 0))
    tracks["doubt_us"][rows] = np.maximum(tracks["doubt_us"][rows] - eased, 0)
    tracks["answered_us"][rows] = np.minimum(tracks["answered_us"][rows], tracks["doubt_us"][rows])


def _holders(tracks: TrackTable) -> Index:
    """Return the row that holds each identity, by index; NOBODY for none, and for the index NOBODY, which is last."""
    identity = tracks["identity"]
    names = max(int(identity.max(initial=NOBODY)), int(tracks["reply"].max(initial=NOBODY))) + 1
    holder = np.full(names + 1, NOBODY, dtype=np.intp)
    rows = np.flatnonzero((identity != NOBODY) & ~tracks["spoof"])
    holder[identity[rows]] = rows
    return holder


def _settled(tracks: TrackTable, rows: Index, parameters: TrackerParameters) -> Mask:
    """Return which of the tracks `rows`, (k,), hold an identity that was claimed often enough."""
    settled: Mask = (tracks["claims"][rows] >= parameters.identity_claims) & (tracks["identity"][rows] != NOBODY)
    return settled


def _answers(tracks: TrackTable, rows: Index, claim: Index) -> Mask:
    """Return which of the tracks `rows`, (k,), claim the given identities in this scan; not NOBODY."""
    answers: Mask = (rows != NOBODY) & tracks["hit"][rows] & (tracks["reply"][rows] == claim)
    return answers


def _forget(tracks: TrackTable, rows: Index) -> None:
    """Take the identities of the tracks `rows`, (k,), that have one, in place."""
    named = rows[tracks["identity"][rows] != NOBODY]
    tracks["identity"][named] = NOBODY
    tracks["claims"][named] = 0


def _apart(estimate: Estimate, one: Index, other: Index, parameters: TrackerParameters) -> Mask:
    """Return which pairs of tracks, (k,) rows each, are at two places by more than chance."""
    position, covariance = estimate.mean[:, POSITION], estimate.covariance[:, POSITION, POSITION]
    distance = quadratic(position[one] - position[other], inverse(covariance[one] + covariance[other]))
    apart: Mask = distance > parameters.spoof_threshold
    return apart
