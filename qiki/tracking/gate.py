"""The gate of association: the plots that can be of each track, and their likelihoods; its size is in `parameters`."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from qiki.arrays import Array, Index, Mask
from qiki.tracking.measurement import SHORTEST_RANGE_M, Measurements, OwnState, diagonal, linearise, position_noise
from qiki.tracking.parameters import TrackerParameters
from qiki.tracking.tracks import MANOEUVRE, MOTION, POSITION, VELOCITY, TrackTable
from qiki.tracking.updater import bayes, innovations

BLOCK = 250_000
"""Pairs that are compared at once: some 50 MB."""
FEW = 512
"""Up to so many pairs comparing all is faster than sorting."""


@dataclass(frozen=True, eq=False, slots=True)
class Pairs:
    """Track and plot pairs within the gate, in the order of the tracks."""

    track: Index  # (k,) row of the track
    plot: Index  # (k,) row of the plot
    log_likelihood: Array  # (k,) of the plot given the track, density in m · sr · m/s as the clutter's
    point: Array  # (k, 6) [m, m/s] the state after a first correction by the plot: the updater's point of linearisation

    def take(self, which: Mask | Index) -> "Pairs":
        """Return the pairs of an index or a mask."""
        return Pairs(self.track[which], self.plot[which], self.log_likelihood[which], self.point[which])


Found = tuple[Index, Index, Array]
"""Tracks, plots and the squared distances between them along each axis."""
NO_PAIRS = Pairs(np.zeros(0, dtype=np.intp), np.zeros(0, dtype=np.intp), np.zeros(0), np.zeros((0, 6)))


def within(values: Array, others: Array, reach: Array | float, most: int = BLOCK) -> Iterator[tuple[Index, Index]]:
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
    kept: Found = (NO_PAIRS.track, NO_PAIRS.plot, NO_PAIRS.point[:, POSITION])
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
    """Return the pairs whose plot lies within the gate of the track's manoeuvre mode, the widest of the modes.

    The gate is a threshold of the squared Mahalanobis distance; the likelihood is that of all modes (Bar-Shalom, Li &
    Kirubarajan 2001, section 11.6.6).
    """
    relative = plots.range_m[:, None] * plots.sight
    track, plot = near(
        tracks["mode_mean"][:, MANOEUVRE, POSITION] - own.position,
        diagonal(tracks["mode_covariance"][:, MANOEUVRE, POSITION, POSITION]),
        relative,
        diagonal(position_noise(plots, plots.sight, plots.range_m)),
        parameters.gate_threshold,
        parameters.max_pairs,
    )
    mean, covariance = tracks["mode_mean"][track], tracks["mode_covariance"][track]
    velocity = mean[:, MANOEUVRE, VELOCITY] - own.velocity
    spread = covariance[:, MANOEUVRE, VELOCITY, VELOCITY]
    paired = plots.take(plot)
    model = linearise(paired, relative[plot], velocity, spread)
    innovation = innovations(model, paired, mean, covariance, own)
    log_likelihood, posterior = bayes(tracks["mode_probability"][track], innovation)
    # From a density in m³ · m/s to one in m · sr · m/s: one steradian has the area r².
    log_likelihood += 2 * np.log(np.maximum(paired.range_m, SHORTEST_RANGE_M))
    point = (posterior[:, :, None] * (mean + innovation.correction)[:, :, MOTION]).sum(1)
    inside = innovation.distance[:, MANOEUVRE] <= parameters.gate_threshold
    return Pairs(track, plot, log_likelihood, point).take(np.flatnonzero(inside))
