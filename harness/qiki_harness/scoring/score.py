"""The score of a run: its means, and its course over time."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from qiki.arrays import Array
from qiki_harness.scoring.consistency import (
    AHEAD_S,
    Coverage,
    Reliability,
    Tails,
    coverage,
    errors_ahead,
    reliability,
    tails,
)
from qiki_harness.scoring.identity import GATE_M, count_identities
from qiki_harness.scoring.metrics import CUTOFF_M, ORDER, Gospa, bounds, gospa, nees, ospa, probabilistic_gospa
from qiki_harness.scoring.records import ScanRecord
from qiki_harness.scoring.trajectories import TrajectoryMetric, trajectory_metric

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
    probabilistic_gospa: Array  # [m], of all tracks, also those that are not believed in
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
    probabilistic_gospa_m: float  # mean P-GOSPA of all tracks, c = 200 m, p = 2, alpha = 2
    trajectory: TrajectoryMetric | None  # c = 200 m, p = 2, 200 m a switch; None where scipy is missing
    identity_switches: int  # contacts taken over by another track
    fragments: int  # gaps in the tracking of a contact
    never_tracked: int  # contacts that never had a track
    confirm_s: float | None  # mean time from a contact's first being there to its track; None where none had one
    nees_position: float | None  # mean, 3 if consistent
    nees_velocity: float | None  # likewise
    nees_position_inside: float | None  # share of the scans in which it is within its 95 % bounds
    nees_velocity_inside: float | None  # likewise
    tails_position: Tails
    tails_velocity: Tails
    coverage: tuple[Coverage, ...]  # of position, now and ahead
    reliability: Reliability  # of the quality


def score(scans: Sequence[ScanRecord], gate_m: float = GATE_M) -> tuple[Score, OverTime]:
    """Score a run of at least one scan; return its means and its course. `gate_m`: see `count_identities`."""
    pairs = [gospa(scan.truth.position, scan.tracks.position) for scan in scans]
    positions = [_position_errors(scan, found) for scan, found in zip(scans, pairs, strict=True)]
    velocities = [_velocity_errors(scan, found) for scan, found in zip(scans, pairs, strict=True)]
    course = over_time(scans, pairs, positions, velocities)
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
        probabilistic_gospa_m=float(course.probabilistic_gospa.mean()),
        trajectory=trajectory_metric(scans),
        identity_switches=identities.switches,
        fragments=identities.fragments,
        never_tracked=len(identities.never),
        confirm_s=float(np.mean(times)) if times else None,
        nees_position=_weighted(course.nees_position, course.pairs),
        nees_velocity=_weighted(course.nees_velocity, course.pairs),
        nees_position_inside=inside(course.nees_position, course.pairs),
        nees_velocity_inside=inside(course.nees_velocity, course.pairs),
        tails_position=tails(np.concatenate(positions)),
        tails_velocity=tails(np.concatenate(velocities)),
        coverage=(
            coverage(positions, 0.0),
            *(coverage(errors_ahead(scans, pairs, ahead_s), ahead_s) for ahead_s in AHEAD_S),
        ),
        reliability=reliability(scans),
    )
    return summary, course


def over_time(
    scans: Sequence[ScanRecord], pairs: Sequence[Gospa], positions: Sequence[Array], velocities: Sequence[Array]
) -> OverTime:
    """Return the metrics of each scan, given its pairs of contact and track, and their normalised errors squared."""
    rows = zip(scans, pairs, positions, velocities, strict=True)
    return OverTime(*np.array([_metrics(*row) for row in rows]).T)


def _metrics(scan: ScanRecord, found: Gospa, position: Array, velocity: Array) -> tuple[float, ...]:
    """Return the values of `OverTime` of one scan, in its order."""
    truth, tracks, every = scan.truth, scan.tracks, scan.every
    probabilistic = probabilistic_gospa(truth.position, every.position, every.position_covariance, every.existence)
    parts = found.localisation, found.missed, found.false
    errors = ospa(truth.position, tracks.position), probabilistic.distance, _mean(position), _mean(velocity)
    return scan.t_s, found.distance, *parts, *errors, len(found.contact)


def _position_errors(scan: ScanRecord, found: Gospa) -> Array:
    error = scan.tracks.position[found.track] - scan.truth.position[found.contact]
    return nees(error, scan.tracks.position_covariance[found.track])


def _velocity_errors(scan: ScanRecord, found: Gospa) -> Array:
    error = scan.tracks.velocity[found.track] - scan.truth.velocity[found.contact]
    return nees(error, scan.tracks.velocity_covariance[found.track])


def _mean(values: Array) -> float:
    return float(values.mean()) if len(values) else np.nan


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
