"""Resolution: contacts in one cell of range, direction and range rate give one plot, which their tracks share.

The plot is that of the group's centre (Koch & van Keuk, Multiple hypothesis track maintenance with possibly unresolved
measurements, IEEE Trans. Aerospace and Electronic Systems 33, 1997). So it moves all of its tracks alike: each is
corrected by the plot, put as far from it as the track is expected from the centre. A track that shares a plot is
debited with a small part of a miss.

The tracks are filtered apart from one another, while the errors of a shared plot are the same in all and in every
scan: the farther the tracks are from the centre, the more is a guess. So the noise grows by twice the distance of the
farthest one. (With the distance itself the NEES of two formations that pass through one another is 4.4 instead of 3.2.)
"""

from dataclasses import dataclass

import numpy as np

from qiki.arrays import Array, Index, Mask
from qiki.tracking.gate import Pairs, within
from qiki.tracking.measurement import SHORTEST_RANGE_M, Measurements, OwnState, inverse, quadratic
from qiki.tracking.parameters import TrackerParameters
from qiki.tracking.tracks import MOTION, NO_PLOT, POSITION, QUIET, VELOCITY, TrackTable

NOBODYS = -1
SIGHT = slice(1, 4)
GUESS = 2.0
"""Standard deviation of a track's part of a shared plot, in distances of the farthest track from the centre."""


@dataclass(frozen=True, eq=False, slots=True)
class Shared:
    """Plots that several tracks share."""

    track: Index  # (k,) rows of the tracks without a plot of their own, in order
    plot: Index  # (k,) the plots


def share(
    tracks: TrackTable, assigned: Pairs, plots: Measurements, own: OwnState, parameters: TrackerParameters
) -> Shared:
    """Find the confirmed tracks without a plot that share a cell with another track's plot, or an unassigned one."""
    missed = tracks["confirmed"].copy()
    missed[assigned.track] = False
    lone = np.flatnonzero(missed)
    if not len(lone):
        return Shared(lone, lone)
    owner = np.full(len(plots.range_m), NOBODYS)
    owner[assigned.plot] = assigned.track
    open_plots = np.flatnonzero((owner == NOBODYS) | tracks["confirmed"][owner])
    track, plot = _in_one_cell(tracks, lone, plots, open_plots, own, parameters)
    # An unassigned plot belongs to the first track near it: rows are written in reverse, so the first one stays.
    first = owner.copy()
    free = first[plot] == NOBODYS
    first[plot[free][::-1]] = track[free][::-1]
    other = (track != first[plot]) & _are_two(tracks, track, first[plot], parameters)
    crowded = np.zeros(len(owner), dtype=np.bool_)
    crowded[plot[other]] = True
    hidden = other | ((track == first[plot]) & crowded[plot])
    return Shared(track[hidden], plot[hidden])


def shares(shared: Shared, plot: Index, plots: int) -> Mask:
    """Return which of the plots, (k,), several tracks share."""
    crowded = np.zeros(plots, dtype=np.bool_)
    crowded[shared.plot] = True
    return crowded[plot]


def plots_of(tracks: int, assigned: Pairs, shared: Shared) -> Index:
    """Return the plot of each track, its own or the shared one: (tracks,)."""
    plot = np.full(tracks, NO_PLOT)
    plot[assigned.track] = assigned.plot
    plot[shared.track] = shared.plot
    return plot


def divided(
    tracks: TrackTable, track: Index, plot: Index, shared: Shared, plots: Measurements, own: OwnState
) -> Measurements:
    """Return the measurement of each pair of track and plot, (k,): of a shared plot the track's part of it."""
    taken = plots.take(plot)
    if not len(shared.track):
        return taken
    rows = np.flatnonzero(shares(shared, plot, len(plots.range_m)))
    of = plot[rows]
    off = _off_centre(tracks, track[rows], of, own)
    moved = taken.sight[rows] + off[:, SIGHT]
    taken.range_m[rows] = np.maximum(taken.range_m[rows] + off[:, 0], 0.0)
    taken.sight[rows] = moved / np.sqrt(np.vecdot(moved, moved))[:, None]
    taken.doppler_mps[rows] += off[:, -1]
    distance = np.stack((np.abs(off[:, 0]), np.sqrt(np.vecdot(off[:, SIGHT], off[:, SIGHT])), np.abs(off[:, -1])))
    widest = np.zeros((len(distance), len(plots.range_m)))
    for axis, values in zip(widest, distance, strict=True):
        np.maximum.at(axis, of, values)
    sigmas = taken.sigma_range_m, taken.sigma_angle_rad, taken.sigma_doppler_mps
    for sigma, far in zip(sigmas, GUESS * widest[:, of], strict=True):
        sigma[rows] = np.hypot(sigma[rows], far)
    return taken


def _off_centre(tracks: TrackTable, track: Index, plot: Index, own: OwnState) -> Array:
    """Return range [m], line of sight and range rate [m/s] of tracks, less those of their plot's centre: (k, 5).

    Within an echo the stronger contacts weigh more, as in the plot itself.
    """
    range_m, sight, doppler_mps = _expected(tracks, track, own)
    expected = np.column_stack((range_m, sight, doppler_mps))
    weight = tracks["snr"][track]
    centre = [np.bincount(plot, weight * column)[plot] for column in expected.T]
    off: Array = expected - np.stack(centre, axis=1) / np.bincount(plot, weight)[plot, None]
    return off


def _expected(tracks: TrackTable, rows: Index, own: OwnState) -> tuple[Array, Array, Array]:
    """Return range [m], line of sight and range rate [m/s] that tracks in quiet flight have: (k,), (k, 3), (k,)."""
    state = tracks["mode_mean"][rows, QUIET, MOTION]
    position, velocity = state[:, POSITION] - own.position, state[:, VELOCITY] - own.velocity
    range_m = np.maximum(np.sqrt(np.vecdot(position, position)), SHORTEST_RANGE_M)
    sight = position / range_m[:, None]
    return range_m, sight, np.vecdot(sight, velocity)


def _in_one_cell(
    tracks: TrackTable,
    lone: Index,
    plots: Measurements,
    open_plots: Index,
    own: OwnState,
    parameters: TrackerParameters,
) -> tuple[Index, Index]:
    """Return each lone track's nearest open plot in its cell: tracks in order, and plots."""
    range_m, sight, doppler_mps = _expected(tracks, lone, own)
    nearest = []
    for which, row in within(range_m, plots.range_m[open_plots], parameters.range_resolution_m):
        plot = open_plots[row]
        cosine = np.vecdot(sight[which], plots.sight[plot])
        apart = np.stack(
            (
                np.abs(range_m[which] - plots.range_m[plot]) / parameters.range_resolution_m,
                np.arccos(np.clip(cosine, -1, 1)) / parameters.beam_width_rad,
                np.abs(doppler_mps[which] - plots.doppler_mps[plot]) / parameters.doppler_resolution_mps,
            )
        )
        # The nearest is written last and stays.
        close = np.flatnonzero((apart < 1).all(0))
        order = close[np.argsort(-(apart[:, close] ** 2).sum(0), kind="stable")]
        chosen = np.full(len(lone), -1)
        chosen[which[order]] = order
        found = np.flatnonzero(chosen >= 0)
        nearest.append((lone[found], plot[chosen[found]]))
    tracks_found, plots_found = zip(*nearest, strict=True)
    return np.concatenate(tracks_found), np.concatenate(plots_found)


def _are_two(tracks: TrackTable, one: Index, other: Index, parameters: TrackerParameters) -> Mask:
    """Return where states differ by more than chance; else one track may be a duplicate of the other."""
    state, covariance = tracks["mode_mean"][:, QUIET, MOTION], tracks["mode_covariance"][:, QUIET, MOTION, MOTION]
    distance = quadratic(state[one] - state[other], inverse(covariance[one] + covariance[other]))
    two: Mask = distance > parameters.reattach_threshold
    return two
