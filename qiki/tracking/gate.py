"""The gate of association: the plots that can be of each track, and their likelihoods; its size is in `parameters`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from qiki.arrays import Array, Index, Mask, blocks
from qiki.tracking.measurement import SHORTEST_RANGE_M, Measurements, OwnState, diagonal, linearise, position_noise
from qiki.tracking.parameters import TrackerParameters
from qiki.tracking.tracks import BLOCK, HARD, MOTION, NO_TRACKS, POSITION, VELOCITY, Modes, TrackTable
from qiki.tracking.updater import corrected, innovations

WINDOW = 250_000
"""Pairs that are compared at once: some 50 MB."""
BEND = 0.3
"""Standard deviations of a measurement up to which its terms of second order are left out."""
FEW = 512
"""Up to so many pairs comparing all is faster than sorting."""


@dataclass(frozen=True, eq=False, slots=True)
class Pairs:
    """Track and plot pairs within the gate, in the order of the tracks; those of jumped tracks follow."""

    track: Index  # (k,) row of the track
    plot: Index  # (k,) row of the plot
    log_likelihood: Array  # (k,) of the plot given the track, density in m · sr · m/s as the clutter's
    bent: Mask  # (k,) the correction leads so far that the measurement has to be linearised about its result
    corrected: Modes  # of k tracks, by their plots

    def __len__(self) -> int:
        return len(self.track)

    def take(self, rows: Index) -> "Pairs":
        """Return the pairs of an index in ascending order."""
        if len(rows) == len(self):
            return self
        modes = Modes(*(column[rows] for column in self.corrected))
        return Pairs(self.track[rows], self.plot[rows], self.log_likelihood[rows], self.bent[rows], modes)


Found = tuple[Index, Index, Array]
"""Tracks, plots and the squared distances between them along each axis."""
NONE = np.zeros(0, dtype=np.intp)
NO_PAIRS = Pairs(NONE, NONE, np.zeros(0), np.zeros(0, dtype=np.bool_), Modes.of(NO_TRACKS))


def within(values: Array, others: Array, reach: Array | float, most: int = WINDOW) -> Iterator[tuple[Index, Index]]:
    """Yield the index pairs of values (n,) and others (m,) that differ by at most `reach`, one or (n,).

    The others are sorted, and each value has a window of them. A crowd has millions of pairs, so they come in blocks
    of whole windows, of about `most` pairs.
    """
    order = np.argsort(others, kind="stable")
    ordered = others[order]
    first = np.searchsorted(ordered, values - reach, side="left")
    count = np.searchsorted(ordered, values + reach, side="right") - first
    total = np.cumsum(count)
    for rows in _blocks(total, most):
        which = np.repeat(np.arange(rows.start, rows.stop), count[rows])
        offset = np.repeat((first - total + count)[rows], count[rows])
        before = int(total[rows.start - 1]) if rows.start else 0
        yield which, order[np.arange(before, before + len(which)) + offset]


def _blocks(total: Index, most: int) -> list[slice]:
    """Return slices of windows with about `most` pairs each, given the cumulative number of pairs."""
    if not len(total) or total[-1] <= most:
        return [slice(0, len(total))]
    ends = [*(np.flatnonzero(np.diff(total // most)) + 1).tolist(), len(total)]
    return [slice(start, end) for start, end in zip([0, *ends[:-1]], ends, strict=True)]


def near(
    position: Array, variance: Array, plot_position: Array, plot_variance: Array, threshold: float, limit: int
) -> tuple[Index, Index]:
    """Return the pairs within the threshold along every axis: a window along x for each track, then y and z.

    Positions (n, 3) and (m, 3) [m], variances likewise [m²]; the threshold is a squared Mahalanobis distance. At most
    `limit` pairs are kept, the nearest.
    """
    if len(position) * len(plot_position) <= min(FEW, limit):
        order = np.argsort(plot_position[:, 0], kind="stable")
        apart = (plot_position[order] - position[:, None]) ** 2 / (variance[:, None] + plot_variance[order])
        track, plot = np.nonzero((apart <= threshold).all(-1))
        return track, order[plot]
    reach = np.sqrt(threshold * (variance[:, 0] + plot_variance[:, 0].max(initial=0.0)))
    kept: Found = (NONE, NONE, np.zeros((0, 3)))
    for track, plot in within(position[:, 0], plot_position[:, 0], reach):
        # The second axis alone leaves few pairs for the full comparison.
        aside = (plot_position[:, 1][plot] - position[:, 1][track]) ** 2
        beside = np.flatnonzero(aside <= threshold * (variance[:, 1][track] + plot_variance[:, 1][plot]))
        one, other = track[beside], plot[beside]
        apart = (plot_position[other] - position[one]) ** 2 / (variance[one] + plot_variance[other])
        inside = np.flatnonzero((apart <= threshold).all(-1))
        kept = _nearest(kept, (one[inside], other[inside], apart[inside]), limit)
    return kept[:2]


def _nearest(kept: Found, more: Found, limit: int) -> Found:
    """Return the nearest of both, in their order; of equals the first."""
    if not len(kept[0]) and len(more[0]) <= limit:
        return more
    if len(kept[0]) == limit:  # a crowd: most pairs are farther apart than those kept
        nearer = np.flatnonzero(more[2].sum(-1) < kept[2].sum(-1).max(initial=0.0))
        more = (more[0][nearer], more[1][nearer], more[2][nearer])
    track, plot, apart = (np.concatenate(both) for both in zip(kept, more, strict=True))
    chosen = np.sort(np.argsort(apart.sum(-1), kind="stable")[:limit])
    return track[chosen], plot[chosen], apart[chosen]


def gate(tracks: TrackTable, plots: Measurements, own: OwnState, parameters: TrackerParameters) -> Pairs:
    """Return the pairs whose plot lies within the gate of the hard manoeuvre, the widest of the modes.

    The gate is a threshold of the squared Mahalanobis distance.
    """
    track, plot = near(
        tracks["mode_mean"][:, HARD, POSITION] - own.position,
        diagonal(tracks["mode_covariance"][:, HARD, POSITION, POSITION]),
        plots.range_m[:, None] * plots.sight,
        diagonal(position_noise(plots, plots.sight, plots.range_m)),
        parameters.gate_threshold,
        parameters.max_pairs,
    )
    if not len(track):
        return NO_PAIRS
    found = [_corrected(tracks, track[rows], plot[rows], plots, own, parameters) for rows in blocks(len(track), BLOCK)]
    return joined(found)


def joined(several: Sequence[Pairs]) -> Pairs:
    """Return all pairs of several, in their order."""
    if len(several) == 1:
        return several[0]
    track, plot, log_likelihood, bent = (
        np.concatenate([getattr(one, name) for one in several]) for name in ("track", "plot", "log_likelihood", "bent")
    )
    modes = Modes(*(np.concatenate(columns) for columns in zip(*(one.corrected for one in several), strict=True)))
    return Pairs(track, plot, log_likelihood, bent, modes)


def _corrected(
    tracks: TrackTable, track: Index, plot: Index, plots: Measurements, own: OwnState, parameters: TrackerParameters
) -> Pairs:
    """Return those pairs that are within the gate; the measurement is linearised about the hard manoeuvre's state.

    The likelihood is that of all modes (Bar-Shalom, Li & Kirubarajan 2001, section 11.6.6).
    """
    before, paired = Modes.of(tracks).take(track), plots.take(plot)
    place = before.mean[:, HARD, POSITION] - own.position
    velocity = before.mean[:, HARD, VELOCITY] - own.velocity
    model = linearise(paired, place, velocity, before.covariance[:, HARD, VELOCITY, VELOCITY])
    innovation = innovations(model, paired, before, own)
    log_likelihood, after = corrected(before, innovation)
    # From a density in m³ · m/s to one in m · sr · m/s: one steradian has the area r².
    log_likelihood += 2 * np.log(np.maximum(paired.range_m, SHORTEST_RANGE_M))
    bent = _is_bent(paired, model.sight, velocity, after, own)
    inside = np.flatnonzero(innovation.distance[:, HARD] <= parameters.gate_threshold)
    return Pairs(track, plot, log_likelihood, bent, after).take(inside)


def _is_bent(plots: Measurements, sight: Array, velocity: Array, after: Modes, own: OwnState) -> Mask:
    """Return where the terms of second order of range and range rate are more than a share of their noise: (k,).

    With an angle a between the lines of sight before and after, they are r · a² / 2 and a · |v' - v| + a² · |v|.
    """
    point = (after.probability[:, None] @ after.mean[:, :, MOTION])[:, 0]
    relative, moved = point[:, POSITION] - own.position, point[:, VELOCITY] - own.velocity - velocity
    aside = relative - np.vecdot(relative, sight)[:, None] * sight
    angle = np.sqrt(np.vecdot(aside, aside)) / np.maximum(plots.range_m, SHORTEST_RANGE_M)
    speed, change = np.sqrt(np.vecdot(velocity, velocity)), np.sqrt(np.vecdot(moved, moved))
    far = 0.5 * plots.range_m * angle * angle > BEND * plots.sigma_range_m
    bent: Mask = far | (angle * (change + angle * speed) > BEND * plots.sigma_doppler_mps)
    return bent
