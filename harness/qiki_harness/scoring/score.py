"""The score of a run: its means, and its course over time."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from qiki.arrays import Array
from qiki_harness.scoring.consistency import bounds, nees
from qiki_harness.scoring.gospa import CUTOFF_M, ORDER, Gospa, gospa
from qiki_harness.scoring.identity import GATE_M, count_identities
from qiki_harness.scoring.ospa import ospa
from qiki_harness.scoring.records import ScanRecord

AXES = 3


@dataclass(frozen=True, eq=False, slots=True)
class OverTime:
    """Scan by scan, (n,) each.

    Attributes:
        t_s: since the first scan
        gospa: [m]
        localisation: GOSPA's part [m²]
        missed: GOSPA's part [m²]
        false: GOSPA's part [m²]
        ospa: [m]
        nees_position: mean over the pairs, 3 if consistent; NaN where there are none
        nees_velocity: likewise
        pairs: number of contacts that have a track
    """

    t_s: Array
    gospa: Array
    localisation: Array
    missed: Array
    false: Array
    ospa: Array
    nees_position: Array
    nees_velocity: Array
    pairs: Array


@dataclass(frozen=True, slots=True)
class Score:
    """Means over the scans of a run, and counts.

    Attributes:
        scans: how many
        contacts: how many there were
        gospa_m: mean GOSPA, c = 200 m, p = 2, alpha = 2
        localisation_m: root of the mean of its part, a scan
        missed: mean number of contacts without a track
        false: mean number of tracks without a contact
        ospa_m: mean OSPA, c = 200 m, p = 2
        identity_switches: contacts taken over by another track
        fragments: gaps in the tracking of a contact
        never_tracked: contacts that never had a track
        confirm_s: mean time from a contact's first being there to its track; None where none had one
        nees_position: mean, 3 if consistent
        nees_velocity: likewise
        nees_position_inside: share of the scans in which it is within its 95 % bounds
        nees_velocity_inside: likewise
    """

    scans: int
    contacts: int
    gospa_m: float
    localisation_m: float
    missed: float
    false: float
    ospa_m: float
    identity_switches: int
    fragments: int
    never_tracked: int
    confirm_s: float | None
    nees_position: float | None
    nees_velocity: float | None
    nees_position_inside: float | None
    nees_velocity_inside: float | None


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
    found = [gospa(scan.truth.position, scan.tracks.position) for scan in scans]
    errors = [_nees(scan, pairs) for scan, pairs in zip(scans, found, strict=True)]
    return OverTime(
        t_s=np.array([scan.t_s for scan in scans]),
        gospa=np.array([one.distance for one in found]),
        localisation=np.array([one.localisation for one in found]),
        missed=np.array([one.missed for one in found]),
        false=np.array([one.false for one in found]),
        ospa=np.array([ospa(scan.truth.position, scan.tracks.position) for scan in scans]),
        nees_position=np.array([position for position, _ in errors]),
        nees_velocity=np.array([velocity for _, velocity in errors]),
        pairs=np.array([float(len(one.contact)) for one in found]),
    )


def inside(mean_nees: Array, pairs: Array) -> float | None:
    """Return the share of scans whose mean NEES is in the 95 % bounds of its number of pairs; None without pairs."""
    seen = np.flatnonzero(pairs)
    if not len(seen):
        return None
    total, degrees = (mean_nees * pairs)[seen], (AXES * pairs[seen]).astype(int)
    limits = np.array([bounds(one) for one in degrees.tolist()])
    return float(((limits[:, 0] <= total) & (total <= limits[:, 1])).mean())


def _nees(scan: ScanRecord, pairs: Gospa) -> tuple[float, float]:
    """Return the means over the pairs: position, velocity."""
    if not len(pairs.contact):
        return np.nan, np.nan
    truth, tracks = scan.truth, scan.tracks
    position = tracks.position[pairs.track] - truth.position[pairs.contact]
    velocity = tracks.velocity[pairs.track] - truth.velocity[pairs.contact]
    return (
        float(nees(position, tracks.position_covariance[pairs.track]).mean()),
        float(nees(velocity, tracks.velocity_covariance[pairs.track]).mean()),
    )


def _weighted(values: Array, weights: Array) -> float | None:
    seen = weights > 0
    return float(np.average(values[seen], weights=weights[seen])) if seen.any() else None
