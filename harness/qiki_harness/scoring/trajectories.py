"""The trajectory metric of a run: GOSPA over time, in which a contact's change of track has a price of its own.

García-Fernández, Rahmathullah & Svensson, A metric on the space of finite sets of trajectories for evaluation of
multi-target tracking algorithms, IEEE Transactions on Signal Processing 68 (2020): its relaxation to a linear program,
which is a metric too. In a scan a contact and a track that are assigned to each other save c² - d² against a missed and
a false one. So the program maximises savings, less gamma²/2 for each change of a weight by one from scan to scan: that
is the paper's form less a constant.

A pair that is never nearer than c saves nothing, and a weight that stays zero costs nothing: such pairs are left out,
and what no pair connects is solved by itself. Neither changes the value.

A program has a weight for each pair and block of scans. Blocks of one scan give the metric. In a long run they are
longer: their weights change at their borders only, so the value is an upper bound.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np

from qiki.arrays import Array, Index
from qiki_harness.errors import HarnessError
from qiki_harness.scoring.metrics import CUTOFF_M, distances
from qiki_harness.scoring.records import ScanRecord

SWITCH_M = CUTOFF_M
"""Gamma: a change from one track to another costs as much as a missed and a false one in a single scan."""
MOST_WEIGHTS = 50_000
"""Of one program: a few seconds."""


@dataclass(frozen=True, slots=True)
class TrajectoryMetric:
    """The metric's value and its parts: distance² is the mean over the scans of its parts' sum."""

    distance_m: float  # a scan
    localisation_m: float  # root of the mean of its part, a scan
    missed: float  # mean number of contacts without a track
    false: float  # mean number of tracks without a contact
    track_switches: float  # in the whole run; from or to no track is half a one
    block_scans: int  # the longest block of scans of one assignment; 1: the value is exact, else an upper bound


@dataclass(frozen=True, eq=False, slots=True)
class Pair:
    """A contact and a track that are within the cutoff at some time."""

    contact: str
    track: str
    scans: Index  # (k,) in which they are
    squared: Array  # (k,) their squared distances then [m²]


def trajectory_metric(
    scans: Sequence[ScanRecord], cutoff: float = CUTOFF_M, switch: float = SWITCH_M, most_weights: int = MOST_WEIGHTS
) -> TrajectoryMetric | None:
    """Return the metric of a run of at least one scan; None where scipy, which solves it, is not installed.

    Args:
        cutoff: c [m]
        switch: gamma [m]
        most_weights: of one program; from there on blocks are longer than a scan
    """
    if find_spec("scipy") is None:
        return None
    count = len(scans)
    localisation = changes = assigned = 0.0
    longest = 1
    for group in _connected(_near_pairs(scans, cutoff)):
        starts = _blocks(group, count, max(most_weights // len(group), 1))
        blocks = [np.searchsorted(starts, pair.scans, side="right") - 1 for pair in group]
        saved = [
            np.bincount(block, cutoff**2 - pair.squared, len(starts)) for pair, block in zip(group, blocks, strict=True)
        ]
        weights = _solve(group, np.array(saved), switch**2 / 2)
        for pair, block, weight in zip(group, blocks, weights, strict=True):
            localisation += float((weight[block] * pair.squared).sum())
            assigned += float(weight[block].sum())
        changes += float(np.abs(np.diff(weights, axis=1)).sum())
        longest = max(longest, int(np.diff([*starts, count]).max()))
    contacts = sum(len(scan.truth.ids) for scan in scans)
    tracks = sum(len(scan.tracks.ids) for scan in scans)
    missed, false = contacts - assigned, tracks - assigned
    total = localisation + cutoff**2 / 2 * (missed + false) + switch**2 / 2 * changes
    return TrajectoryMetric(
        distance_m=float(np.sqrt(max(total, 0.0) / count)),
        localisation_m=float(np.sqrt(localisation / count)),
        missed=missed / count,
        false=false / count,
        track_switches=changes / 2,
        block_scans=longest,
    )


def _near_pairs(scans: Sequence[ScanRecord], cutoff: float) -> list[Pair]:
    found: dict[tuple[str, str], list[tuple[int, float]]] = {}
    for number, scan in enumerate(scans):
        apart = distances(scan.truth.position, scan.tracks.position)
        for row, column in np.argwhere(apart < cutoff).tolist():
            pair = scan.truth.ids[row], scan.tracks.ids[column]
            found.setdefault(pair, []).append((number, apart[row, column] ** 2))
    return [
        Pair(*names, np.array([number for number, _ in rows]), np.array([squared for _, squared in rows]))
        for names, rows in found.items()
    ]


def _connected(pairs: Sequence[Pair]) -> Iterator[list[Pair]]:
    """Yield the pairs in groups that have no contact and no track in common."""
    from scipy.sparse import csr_array  # noqa: PLC0415  # optional, and slow to import
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415

    contacts, tracks = ({name: row for row, name in enumerate(dict.fromkeys(names))} for names in _names(pairs))
    rows = [contacts[pair.contact] for pair in pairs]
    columns = [len(contacts) + tracks[pair.track] for pair in pairs]
    size = len(contacts) + len(tracks)
    _, labels = connected_components(csr_array((np.ones(len(pairs)), (rows, columns)), (size, size)), directed=False)
    groups: dict[int, list[Pair]] = {}
    for pair, row in zip(pairs, rows, strict=True):
        groups.setdefault(labels[row], []).append(pair)
    yield from groups.values()


def _names(pairs: Sequence[Pair]) -> tuple[list[str], list[str]]:
    return [pair.contact for pair in pairs], [pair.track for pair in pairs]


def _blocks(group: Sequence[Pair], count: int, most: int) -> Index:
    """Return the first scans of blocks: all scans, or evenly spaced ones and those in which a pair comes or goes."""
    if count <= most:
        return np.arange(count)
    even = np.linspace(0, count, most, endpoint=False).astype(np.intp)
    changes = np.unique(np.concatenate([_changes(pair.scans) for pair in group]))
    changes = changes[(changes > 0) & (changes < count)]
    return np.union1d(even, changes) if len(changes) <= most else even


def _changes(scans: Index) -> Index:
    """Return the scans in which a pair begins to be near, and those in which it no longer is."""
    gap = np.diff(scans) > 1
    return np.concatenate((scans[:1], scans[1:][gap], scans[:-1][gap] + 1, scans[-1:] + 1))


def _solve(group: Sequence[Pair], saved: Array, half: float) -> Array:
    """Return the weight of each pair in each block, (p, b), that saves most.

    Args:
        saved: by a pair in a block, (p, b) [m²]
        half: price of a change of a weight by one [m²]
    """
    if len(group) == 1:
        return np.ones(saved.shape)
    from scipy import sparse  # noqa: PLC0415
    from scipy.optimize import linprog  # noqa: PLC0415

    pairs, blocks = saved.shape
    # Columns: weights, then their rises and falls from block to block.
    step = sparse.eye(blocks - 1, blocks, k=1) - sparse.eye(blocks - 1, blocks)
    steps = sparse.kron(sparse.eye(pairs), step)
    change = sparse.eye(pairs * (blocks - 1))
    sides = np.concatenate([_membership(names) for names in _names(group)])
    at_most_one = sparse.kron(sides, sparse.eye(blocks))
    found = linprog(
        np.concatenate((-saved.ravel(), np.full(2 * pairs * (blocks - 1), half))) / saved.max(),
        A_ub=sparse.hstack([at_most_one, sparse.csr_array((at_most_one.shape[0], 2 * change.shape[0]))]).tocsr(),
        b_ub=np.ones(at_most_one.shape[0]),
        A_eq=sparse.hstack([steps, -change, change]).tocsr(),
        b_eq=np.zeros(change.shape[0]),
        bounds=(0, None),
        method="highs",
    )
    if found.x is None:
        raise HarnessError(f"the trajectory metric: {found.message}")
    weights: Array = found.x[: saved.size].reshape(saved.shape)
    return weights


def _membership(names: Sequence[str]) -> Array:
    """Return which pairs have each name: (names, p)."""
    return np.array([[name == one for name in names] for one in dict.fromkeys(names)], dtype=np.float64)
