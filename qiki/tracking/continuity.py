"""Continuity: a contact keeps its track's id.

A contact that turned out of its track's gate starts a new track, which is reattached to the old one. Two contacts
that met and parted with each other's tracks are recognised by the identities they claim, or by the one's that still
answers, and exchanged back.
"""

import numpy as np

from qiki.arrays import Array, Index, Mask
from qiki.tracking.gate import near
from qiki.tracking.identity import Contradictions
from qiki.tracking.jumps import impulse, silence_s
from qiki.tracking.measurement import diagonal, inverse, quadratic
from qiki.tracking.parameters import TrackerParameters
from qiki.tracking.scan import SECOND_US
from qiki.tracking.tracks import HARD, MOTION, NOBODY, POSITION, TRACK, VELOCITY, Estimate, TrackTable

KINEMATIC = [name for name in TRACK.names or () if name.startswith("mode_")]
PRESENT = ["last_hit_us", "misses", "unseen", "hit", "llr", "reply_on", "reply_mode", "reply"]
TINY = np.finfo(np.float64).tiny
STRENGTH = ["detection_probability", "snr", "rcs_m2"]


def reattach(tracks: TrackTable, estimate: Estimate, plot: Index, t_us: int, parameters: TrackerParameters) -> Mask:
    """Give missed tracks the states of the new tracks of the same contacts, in place; return the latter, to be deleted.

    A new track and an older one are of the same contact if the new one began after the older one was last seen, so
    that no scan has shown both, and if their states agree, but for a sudden change of velocity. `estimate`, the merged
    states, and `plot`, the tracks' plots, are changed likewise.
    """
    used = np.zeros(len(tracks), dtype=np.bool_)
    old = np.flatnonzero(tracks["confirmed"] & ~tracks["hit"])
    if not len(old):
        return used
    earliest_us = tracks["last_hit_us"][old].min()
    new = np.flatnonzero(tracks["confirmed"] & tracks["hit"] & (tracks["born_us"] > earliest_us))
    if not len(new):
        return used
    for elder, younger in _candidates(tracks, estimate, old, new, t_us, parameters):
        if not used[younger] and not tracks["hit"][elder]:
            _adopt(tracks, elder, younger)
            estimate.mean[elder] = estimate.mean[younger]
            estimate.covariance[elder] = estimate.covariance[younger]
            plot[elder] = plot[younger]
            used[younger] = True
    return used


def exchange(
    tracks: TrackTable,
    estimate: Estimate,
    plot: Index,
    found: Contradictions,
    t_us: int,
    parameters: TrackerParameters,
) -> None:
    """Exchange the states of tracks that have one another's plots since their contacts met, in place.

    Where both claim the other's identity it is done at once. Where one does, and the other is silent or missed, it is
    done when that has lasted: the silent contact's plots may be of either identity until then.
    """
    done: set[int] = set()
    for one, other in zip(found.track.tolist(), found.holder.tolist(), strict=True):
        if other == NOBODY or not done.isdisjoint((one, other)):
            continue
        if _mixed_up(tracks, one, other, parameters) and _met(tracks, estimate, one, other, t_us, parameters):
            done |= {one, other}
            _swap(tracks, estimate, [one, other], [other, one])
            plot[[one, other]] = plot[[other, one]]


def _mixed_up(tracks: TrackTable, one: int, other: int, parameters: TrackerParameters) -> bool:
    """Return whether one track claims the other's identity as the other one's contact would."""
    own = tracks["identity"][one]
    if own != NOBODY and tracks["hit"][other] and tracks["reply"][other] == own:
        return True
    doubt_us, answered_us = int(tracks["doubt_us"][one]), int(tracks["answered_us"][one])
    return doubt_us >= parameters.exchange_s * SECOND_US and 2 * answered_us < doubt_us


def _met(
    tracks: TrackTable, estimate: Estimate, one: int, other: int, t_us: int, parameters: TrackerParameters
) -> bool:
    """Return whether two tracks were near one another since either was last claimed by its own contact.

    Their courses are followed back along the present velocities.
    """
    between = estimate.mean[one] - estimate.mean[other]
    apart, velocity = between[POSITION], between[VELOCITY]
    if np.linalg.norm(apart) <= parameters.exchange_m and tracks["reply"][other] == tracks["identity"][one] != NOBODY:
        return True
    known_us = max(int(tracks["claimed_us"][one]), int(tracks["claimed_us"][other]))
    longest_s = min((t_us - known_us) / SECOND_US + parameters.exchange_s, parameters.meeting_s)
    ago_s = min(max(apart @ velocity / max(velocity @ velocity, TINY), 0.0), longest_s)
    return bool(np.linalg.norm(apart - ago_s * velocity) <= parameters.meeting_m)


def _swap(tracks: TrackTable, estimate: Estimate, pair: list[int], swapped: list[int]) -> None:
    """Exchange the contacts of two tracks, in place; each keeps its own id, identity and history."""
    for name in KINEMATIC + PRESENT + STRENGTH:
        tracks[name][pair] = tracks[name][swapped]
    estimate.mean[pair], estimate.covariance[pair] = estimate.mean[swapped], estimate.covariance[swapped]
    tracks["doubt_us"][pair] = tracks["answered_us"][pair] = 0
    for row in pair:
        if tracks["identity"][row] == NOBODY:
            tracks["claims"][row] = 0


def maybe_known(tracks: TrackTable, position: Array, variance: Array, t_us: int, parameters: TrackerParameters) -> Mask:
    """Return which plots, at world positions (k, 3) [m], may be of a missed track whose contact left its gate: (k,)."""
    known = np.zeros(len(position), dtype=np.bool_)
    old = np.flatnonzero(tracks["confirmed"] & ~tracks["hit"])
    if len(old) and len(position):
        mean, covariance = _astray(tracks, old, t_us, parameters)
        spread = diagonal(covariance)[:, POSITION]
        threshold, limit = parameters.reattach_threshold, parameters.max_pairs
        known[near(mean[:, POSITION], spread, position, variance, threshold, limit)[1]] = True
    return known


def _astray(tracks: TrackTable, old: Index, t_us: int, parameters: TrackerParameters) -> tuple[Array, Array]:
    """Return the states of missed tracks, of the hard manoeuvre: in it a contact leaves its gate. (o, 6), (o, 6, 6)."""
    covariance = tracks["mode_covariance"][old, HARD, MOTION, MOTION]
    covariance = covariance + impulse(silence_s(tracks, old, t_us, parameters), parameters)
    return tracks["mode_mean"][old, HARD, MOTION], covariance


def _candidates(
    tracks: TrackTable, estimate: Estimate, old: Index, new: Index, t_us: int, parameters: TrackerParameters
) -> list[tuple[int, int]]:
    """Return the pairs of old and new rows whose states agree, nearest first."""
    mean, covariance = _astray(tracks, old, t_us, parameters)
    first, second = near(
        mean[:, POSITION],
        diagonal(covariance)[:, POSITION],
        estimate.mean[new, POSITION],
        diagonal(estimate.covariance)[new, POSITION],
        parameters.reattach_threshold,
        parameters.max_pairs,
    )
    elder, younger, identity = old[first], new[second], tracks["identity"]
    claimed = np.where(identity == NOBODY, tracks["reply"], identity)
    between = mean[first] - estimate.mean[younger]
    distance = quadratic(between, inverse(covariance[first] + estimate.covariance[younger]))
    possible = distance <= parameters.reattach_threshold
    possible &= tracks["born_us"][younger] > tracks["last_hit_us"][elder]
    possible &= (identity[elder] == NOBODY) | (claimed[younger] == NOBODY) | (identity[elder] == claimed[younger])
    order = np.argsort(distance, kind="stable")
    order = order[possible[order]]
    return list(zip(elder[order].tolist(), younger[order].tolist(), strict=True))


def _adopt(tracks: TrackTable, elder: int, younger: int) -> None:
    """Give the elder track the younger one's state and evidence; it keeps its own id and history."""
    for name in KINEMATIC + PRESENT:
        tracks[name][elder] = tracks[name][younger]
    tracks["hits"][elder] += tracks["hits"][younger]
    if tracks["identity"][elder] == NOBODY:
        for name in ("identity", "identity_since_us", "claims", "claimed_us"):
            tracks[name][elder] = tracks[name][younger]
    tracks["spoof"][elder] |= tracks["spoof"][younger]
