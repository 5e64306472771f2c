"""The metrics of a scan: GOSPA, P-GOSPA, OSPA and the consistency of the tracks' covariances.

GOSPA: Rahmathullah, García-Fernández & Svensson, Generalized optimal sub-pattern assignment metric, FUSION 2017. With
alpha 2 it falls apart into localisation error, missed and false ones (proposition 1 there), and is a metric.
P-GOSPA: Xia, García-Fernández, Karlsson, Yuan, Chang & Svensson, Probabilistic GOSPA, arXiv 2412.11482: GOSPA between
multi-Bernoulli densities, with the Wasserstein distance of their Gaussians.
OSPA: Schuhmacher, Vo & Vo, A consistent metric for performance evaluation of multi-object filters, IEEE Transactions on
Signal Processing 56 (2008), equations 3 and 4.
NEES, the normalised estimation error squared: Bar-Shalom, Li & Kirubarajan, Estimation with Applications to Tracking
and Navigation, 2001, section 5.4.2. Summed over k estimates of d components it is chi-square with k · d degrees of
freedom.
"""

from dataclasses import dataclass
from math import sqrt

import lap
import numpy as np

from qiki.arrays import Array, Index

CUTOFF_M = 200.0
ORDER = 2.0
NORMAL_975 = 1.959963984540054
"""The normal distribution's 97.5 % quantile, for two-sided bounds of 95 %."""


@dataclass(frozen=True, eq=False, slots=True)
class Gospa:
    """The metric's value and its parts: distance**order = localisation + missed + false."""

    distance: float  # [m]
    localisation: float  # sum over the pairs [m**order]
    missed: float  # share of the contacts without a track [m**order]
    false: float  # share of the tracks without a contact [m**order]
    contact: Index  # (k,) rows of the contacts that have a track
    track: Index  # (k,) rows of their tracks


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


@dataclass(frozen=True, slots=True)
class ProbabilisticGospa:
    """The metric's value and its parts, of order 2: distance² = localisation + mismatch + missed + false."""

    distance: float  # [m]
    localisation: float  # expected, of the pairs [m²]
    mismatch: float  # cost of the pairs' existence below 1 [m²]
    missed: float  # share of the contacts without a track [m²]
    false: float  # share of the tracks without a contact, weighted by their existence [m²]


def probabilistic_gospa(
    contacts: Array, tracks: Array, covariance: Array, existence: Array, cutoff: float = CUTOFF_M
) -> ProbabilisticGospa:
    """Return P-GOSPA of alpha = 2 and order 2 between contacts and tracks (proposition 2 of its paper).

    Contacts are certain, so the squared Wasserstein distance of a pair is that of its means plus the trace of the
    track's covariance. A pair is none from the cutoff on, as in GOSPA.

    Args:
        contacts: (n, d)
        tracks: (m, d)
        covariance: (m, d, d)
        existence: (m,) probability that a track is a real contact
        cutoff: c
    """
    squared = distances(contacts, tracks) ** 2 + np.trace(covariance, axis1=-2, axis2=-1)
    saved = existence * (cutoff**2 - squared).clip(min=0.0)  # by a pair, against a missed and a false one
    contact, track = assign(-saved)
    pair = saved[contact, track] > 0
    contact, track = contact[pair], track[pair]
    localisation = float((existence[track] * squared[contact, track]).sum())
    unpaired = cutoff**2 / 2
    mismatch, missed, false = (
        float(unpaired * count)
        for count in (
            (1 - existence[track]).sum(),
            len(contacts) - len(contact),
            existence.sum() - existence[track].sum(),
        )
    )
    return ProbabilisticGospa(sqrt(localisation + mismatch + missed + false), localisation, mismatch, missed, false)


def ospa(contacts: Array, tracks: Array, cutoff: float = CUTOFF_M, order: float = ORDER) -> float:
    """Return the error a contact or track; arguments as of `gospa`, a missed or a false one counts for `cutoff`."""
    most = max(len(contacts), len(tracks))
    if not most:
        return 0.0
    cost = distances(contacts, tracks).clip(max=cutoff) ** order
    rows, columns = assign(cost)
    unpaired = most - len(rows)
    return float(((cost[rows, columns].sum() + cutoff**order * unpaired) / most) ** (1 / order))


def nees(error: Array, covariance: Array) -> Array:
    """Return e' P⁻¹ e of each estimate: (k, d), (k, d, d) -> (k,)."""
    result: Array = np.vecdot(error, np.linalg.solve(covariance, error[:, :, None])[:, :, 0])
    return result


def bounds(degrees: int) -> tuple[float, float]:
    """Return two-sided 95 % bounds of a chi-square variable (Wilson & Hilferty 1931), good to 3 % from 6 degrees on."""
    spread = 2 / (9 * degrees)
    low, high = (degrees * max(1 - spread + sign * NORMAL_975 * sqrt(spread), 0.0) ** 3 for sign in (-1, 1))
    return low, high


def assign(cost: Array) -> tuple[Index, Index]:
    """Return the cheapest assignment of the smaller side to the larger, as rows in order, and their columns.

    Args:
        cost: (n, m), finite
    """
    if not cost.size:
        return np.zeros(0, dtype=np.intp), np.zeros(0, dtype=np.intp)
    rows, columns = lap.lapjvc(cost, return_cost=False)
    order = np.argsort(rows, kind="stable")
    return np.asarray(rows, dtype=np.intp)[order], np.asarray(columns, dtype=np.intp)[order]


def distances(one: Array, other: Array) -> Array:
    """Return the distances between all points of two sets: (n, d), (m, d) -> (n, m)."""
    between = one[:, None] - other[None]
    result: Array = np.sqrt(np.vecdot(between, between))
    return result
