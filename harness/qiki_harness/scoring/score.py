"""The score of a run: its means, and its course over time."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from qiki.arrays import Array
from qiki_harness.scoring.identity import GATE_M, count_identities
from qiki_harness.scoring.metrics import CUTOFF_M, ORDER, Gospa, bounds, gospa, nees, ospa
from qiki_harness.scoring.records import ScanRecord

AXES = 3


@dataclass(frozen=True, eq=False, slots=True)
class OverTime:
    """Scan by scan, (n,) each."""

    t_s: Array  # since the first scan
    gospa: Array  # [m]
    localisation: Array  # GOSPA's part [m²]
    missed: Array  # GOSPA's part [m²]
    false: Array  # GOSPA's part [m²]
    ospa: Array  # [m]
    nees_position: Array  # mean over the pairs, 3 if consistent; NaN where there are none
    nees_velocity: Array  # likewise
    pairs: Array  # number of contacts that have a track


@dataclass(frozen=True, slots=True)
class Score:
    """Means over the scans of a run, and counts."""

    scans: int
    contacts: int
    gospa_m: float  # mean GOSPA, c = 200 m, p = 2, alpha = 2
    localisation_m: float  # root of the mean of its part, a scan
    missed: float  # mean number of contacts without a track
    false: float  # mean number of tracks without a contact
    ospa_m: float  # mean OSPA, c = 200 m, p = 2
    identity_switches: int  # contacts taken over by another track
    fragments: int  # gaps in the tracking of a contact
    never_tracked: int  # contacts that never had a track
    confirm_s: float | None  # mean time from a contact's first being there to its track; None where none had one
    nees_position: float | None  # mean, 3 if consistent
    nees_velocity: float | None  # likewise
    nees_position_inside: float | None  # share of the scans in which it is within its 95 % bounds
    nees_velocity_inside: float | None  # likewise


def score(scans: Sequence[ScanRecord], gate_m: float = GATE_M) -> tuple[Score, OverTime]:
    """Score a run of at least one scan; return its means and its course."""
    course = over_time(scans)
    identities = count_identities(scans, gate_m)
    times = list(identities.confirm_s.values())
    unpaired = CUTOFF_M**ORDER / 2
    summary = Score(
        scans=len(scans),
        contacts=len(times) + len(identities.never),
        gospa_m=float(course.gospa.mean()),
        localisation_m=float(course.localisation.mean() ** (1 / ORDER)),
        missed=float(course.missed.mean() / unpaired),
        false=float(course.false.mean() / unpaired),
        ospa_m=float(course.ospa.mean()),
        identity_switches=identities.switches,
        fragments=identities.fragments,
        never_tracked=len(identities.never),
        confirm_s=float(np.mean(times)) if times else None,
        nees_position=_weighted(course.nees_position, course.pairs),
        nees_velocity=_weighted(course.nees_velocity, course.pairs),
        nees_position_inside=inside(course.nees_position, course.pairs),
        nees_velocity_inside=inside(course.nees_velocity, course.pairs),
    )
    return summary, course


def over_time(scans: Sequence[ScanRecord]) -> OverTime:
    """Return the metrics of each scan."""
    return OverTime(*np.array([_metrics(scan) for scan in scans]).T)


def _metrics(scan: ScanRecord) -> tuple[float, ...]:
    """Return the values of `OverTime` of one scan, in its order."""
    truth, tracks = scan.truth, scan.tracks
    found = gospa(truth.position, tracks.position)
    error_ospa = ospa(truth.position, tracks.position)
    position = _mean_nees(found, truth.position, tracks.position, tracks.position_covariance)
    velocity = _mean_nees(found, truth.velocity, tracks.velocity, tracks.velocity_covariance)
    parts = found.localisation, found.missed, found.false
    return scan.t_s, found.distance, *parts, error_ospa, position, velocity, len(found.contact)


def _mean_nees(pairs: Gospa, truth: Array, tracks: Array, covariance: Array) -> float:
    if not len(pairs.contact):
        return np.nan
    return float(nees(tracks[pairs.track] - truth[pairs.contact], covariance[pairs.track]).mean())


def inside(mean_nees: Array, pairs: Array) -> float | None:
    """Return the share of scans whose mean NEES is in the 95 % bounds of its number of pairs; None without pairs."""
    seen = np.flatnonzero(pairs)
    if not len(seen):
        return None
    total, degrees = (mean_nees * pairs)[seen], (AXES * pairs[seen]).astype(int)
    limits = np.array([bounds(one) for one in degrees.tolist()])
    return float(((limits[:, 0] <= total) & (total <= limits[:, 1])).mean())


def _weighted(values: Array, weights: Array) -> float | None:
    seen = weights > 0
    return float(np.average(values[seen], weights=weights[seen])) if seen.any() else None
