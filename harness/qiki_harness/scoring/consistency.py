"""Consistency of tracks: shares of true positions in their ellipsoids, tails of the NEES, reliability of the quality.

A three-dimensional error of a consistent track is in the ellipsoid e' P⁻¹ e ≤ q as often as a chi-square variable of
three degrees is at most q (Bar-Shalom, Li & Kirubarajan 2001, section 5.4.2).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from qiki.arrays import Array
from qiki_harness.scoring.metrics import Gospa, gospa, nees
from qiki_harness.scoring.records import ScanRecord

ELLIPSOIDS = np.array([2.365974, 6.251389, 7.814728, 11.344867])
"""Chi-square quantiles of 50, 90, 95 and 99 %, three degrees (Abramowitz & Stegun 1964, table 26.8)."""
LOW, HIGH = 0.2157953, 9.3484036
"""Quantiles of 2.5 % and 97.5 %."""
BINS = 10
AHEAD_S = (2.0, 5.0, 10.0)
MS = 1000


@dataclass(frozen=True, slots=True)
class Coverage:
    """The shares of the true positions that lie in the tracks' ellipsoids, so long after the scan."""

    ahead_s: float
    pairs: int  # of a contact and its track, over all scans
    within_50: float | None  # share in the ellipsoids that should have 50 % of them; None without pairs
    within_90: float | None
    within_95: float | None
    within_99: float | None


@dataclass(frozen=True, slots=True)
class Tails:
    """The distribution of the normalised errors of all pairs; None without pairs."""

    median: float | None  # 2.37 if consistent
    low: float | None  # share below the 2.5 % quantile; more than 2.5 %: covariances are too large
    high: float | None  # share above the 97.5 % quantile; more than 2.5 %: covariances are too small


@dataclass(frozen=True, slots=True)
class Bin:
    """The tracks of all scans whose quality is in one tenth of its range."""

    tracks: int
    said: float  # their mean quality
    real: float  # share of them that stand for a contact


@dataclass(frozen=True, slots=True)
class Reliability:
    """The reliability diagram of the quality (Murphy & Winkler, Applied Statistics 26, 1977)."""

    error: float | None  # expected calibration error: mean of |said - real|, weighted by tracks; None without tracks
    bins: tuple[Bin, ...]  # those that have tracks, from doubt to certainty


def reliability(scans: Sequence[ScanRecord]) -> Reliability:
    """Return the diagram of all tracks of a run; one stands for a contact where GOSPA pairs it with one."""
    return diagram(*np.concatenate([np.zeros((0, 2)), *map(said_and_real, scans)]).T)


def diagram(said: Array, real: Array) -> Reliability:
    """Return the diagram of tracks, given their qualities, (m,), and which are real (1 or 0), (m,)."""
    place = np.minimum((said * BINS).astype(np.intp), BINS - 1)
    bins = [
        Bin(int(rows.sum()), float(said[rows].mean()), float(real[rows].mean()))
        for rows in (place == number for number in range(BINS))
        if rows.any()
    ]
    if not bins:
        return Reliability(None, ())
    return Reliability(sum(one.tracks * abs(one.said - one.real) for one in bins) / len(said), tuple(bins))


def said_and_real(scan: ScanRecord) -> Array:
    """Return existence and reality (1 or 0) of all tracks of a scan: (m, 2)."""
    every = scan.every
    real = np.zeros(len(every.ids))
    real[gospa(scan.truth.position, every.position).track] = 1
    return np.stack((every.existence, real), axis=1)


def tails(errors: Array) -> Tails:
    """Return the tails of normalised errors squared, (k,), of three dimensions."""
    if not len(errors):
        return Tails(None, None, None)
    return Tails(float(np.median(errors)), float((errors < LOW).mean()), float((errors > HIGH).mean()))


def coverage(errors: Sequence[Array], ahead_s: float) -> Coverage:
    """Return the coverage of a run, given the normalised errors squared of each scan so long after it."""
    every = np.concatenate([np.zeros(0), *errors])
    if not len(every):
        return Coverage(ahead_s, 0, None, None, None, None)
    within = (every[:, None] <= ELLIPSOIDS).mean(0)
    return Coverage(ahead_s, len(every), *within.tolist())


def errors_ahead(scans: Sequence[ScanRecord], pairs: Sequence[Gospa], ahead_s: float) -> list[Array]:
    """Return the normalised errors squared of the positions of each scan's tracks, predicted so far ahead.

    Args:
        pairs: contacts and tracks of each scan, at most 200 m apart; those whose contact is gone by then do not count
        ahead_s: a whole number of the periods between scans, else there are no pairs
    """
    later = {round(MS * scan.t_s): row for row, scan in enumerate(scans)}
    rows = [later.get(round(MS * (scan.t_s + ahead_s))) for scan in scans]
    return [
        _errors(scan, found, scans[row], ahead_s)
        for scan, found, row in zip(scans, pairs, rows, strict=True)
        if row is not None
    ]


def _errors(scan: ScanRecord, found: Gospa, later: ScanRecord, ahead_s: float) -> Array:
    """Return the normalised errors squared of the tracks of a scan at a later one: (k,)."""
    place = {name: row for row, name in enumerate(later.truth.ids)}
    at = np.array([place.get(scan.truth.ids[row], -1) for row in found.contact.tolist()], dtype=np.intp)
    there = at >= 0
    position, spread = scan.tracks.ahead(found.track[there], ahead_s)
    return nees(position - later.truth.position[at[there]], spread)
