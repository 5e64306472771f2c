"""GOSPA, the generalised optimal sub-pattern assignment metric.

Rahmathullah, García-Fernández & Svensson, Generalized optimal sub-pattern assignment metric, FUSION 2017. With alpha 2
it falls apart into localisation error, missed and false ones (proposition 1 there), and is a metric.
"""

from dataclasses import dataclass

from qiki.arrays import Array, Index
from qiki_harness.scoring.assignment import assign, distances

CUTOFF_M = 200.0
ORDER = 2.0


@dataclass(frozen=True, eq=False, slots=True)
class Gospa:
    """The metric's value and its parts: distance**order = localisation + missed + false.

    Attributes:
        distance: [m]
        localisation: sum over the pairs [m**order]
        missed: share of the contacts without a track [m**order]
        false: share of the tracks without a contact [m**order]
        contact: (k,) rows of the contacts that have a track
        track: (k,) rows of their tracks
    """

    distance: float
    localisation: float
    missed: float
    false: float
    contact: Index
    track: Index


def gospa(contacts: Array, tracks: Array, cutoff: float = CUTOFF_M, order: float = ORDER) -> Gospa:
    """Return GOSPA of alpha = 2 between contacts and tracks.

    Args:
        contacts: (n, d)
        tracks: (m, d)
        cutoff: c, the distance from which on a pair is none
        order: p, at least 1
    """
    apart = distances(contacts, tracks)
    contact, track = assign(apart.clip(max=cutoff) ** order)
    near = apart[contact, track] < cutoff
    contact, track = contact[near], track[near]
    localisation = float((apart[contact, track] ** order).sum())
    missed, false = (float(cutoff**order / 2 * (len(side) - len(contact))) for side in (contacts, tracks))
    return Gospa((localisation + missed + false) ** (1 / order), localisation, missed, false, contact, track)
