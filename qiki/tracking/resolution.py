"""Resolution: contacts in one cell of range, direction and range rate give one plot, which their tracks share.

The plot lies between the contacts. So it corrects each of their tracks, with their distance from it added to its
noise, and a track that shares a plot is debited with a small part of a miss (Koch & van Keuk, Multiple hypothesis
track maintenance with possibly unresolved measurements, IEEE Trans. Aerospace and Electronic Systems 33, 1997).
"""

from dataclasses import dataclass, replace

import numpy as np

from qiki.arrays import Array, Index, Mask
from qiki.tracking.gate import Pairs, within
from qiki.tracking.measurement import SHORTEST_RANGE_M, Measurements, OwnState, inverse, quadratic
from qiki.tracking.parameters import TrackerParameters
from qiki.tracking.tracks import MOTION, POSITION, VELOCITY, TrackTable

QUIET = 0
NOBODYS = -1


@dataclass(frozen=True, eq=False, slots=True)
class Shared:
    """Plots that several tracks share."""

    track: Index  # (k,) rows of the tracks without a plot of their own, in order
    plot: Index  # (k,) the plots
    apart: Array  # (3, k) distance of each track from its plot in range, direction and range rate, in cells


def share(
    tracks: TrackTable, assigned: Pairs, plots: Measurements, own: OwnState, parameters: TrackerParameters
) -> Shared:
    """Find the confirmed tracks without a plot that share a cell with another track's plot, or an unassigned one."""
    missed = tracks["confirmed"].copy()
    missed[assigned.track] = False
    lone = np.flatnonzero(missed)
    if not len(lone):
        return Shared(lone, lone, np.zeros((3, 0)))
    owner = np.full(len(plots.range_m), NOBODYS)
    owner[assigned.plot] = assigned.track
    open_plots = np.flatnonzero((owner == NOBODYS) | tracks["confirmed"][owner])
    track, plot, apart = _in_one_cell(tracks, lone, plots, open_plots, own, parameters)
    # An unassigned plot belongs to the first track near it: rows are written in reverse, so the first one stays.
    first = owner.copy()
    free = first[plot] == NOBODYS
    first[plot[free][::-1]] = track[free][::-1]
    other = (track != first[plot]) & _are_two(tracks, track, first[plot], parameters)
    crowded = np.zeros(len(owner), dtype=np.bool_)
    crowded[plot[other]] = True
    hidden = other | ((track == first[plot]) & crowded[plot])
    return Shared(track[hidden], plot[hidden], apart[:, hidden])


def with_shared(tracks: TrackTable, assigned: Pairs, shared: Shared) -> Pairs:
    """Return the assigned pairs, then the shared ones."""
    if not len(shared.track):
        return assigned
    state = tracks["mode_mean"][shared.track, QUIET, MOTION]
    return Pairs(
        np.concatenate((assigned.track, shared.track)),
        np.concatenate((assigned.plot, shared.plot)),
        np.concatenate((assigned.log_likelihood, np.zeros(len(shared.track)))),
        np.concatenate((assigned.point, state)),
    )


def blurred(plots: Measurements, shared: Shared, parameters: TrackerParameters) -> Measurements:
    """Return the plots; the shared ones with the largest distance of their tracks added to their noise."""
    if not len(shared.track):
        return plots
    widest = np.zeros((3, len(plots.range_m)))
    for axis, values in zip(widest, shared.apart, strict=True):
        np.maximum.at(axis, shared.plot, values)
    return replace(
        plots,
        sigma_range_m=np.hypot(plots.sigma_range_m, widest[0] * parameters.range_resolution_m),
        sigma_angle_rad=np.hypot(plots.sigma_angle_rad, widest[1] * parameters.beam_width_rad),
        sigma_doppler_mps=np.hypot(plots.sigma_doppler_mps, widest[2] * parameters.doppler_resolution_mps),
    )


def _in_one_cell(
    tracks: TrackTable,
    lone: Index,
    plots: Measurements,
    open_plots: Index,
    own: OwnState,
    parameters: TrackerParameters,
) -> tuple[Index, Index, Array]:
    """Return each lone track's nearest open plot in its cell: tracks in order, plots, distances in cells (3, k)."""
    state = tracks["mode_mean"][lone, QUIET, MOTION]
    position, velocity = state[:, POSITION] - own.position, state[:, VELOCITY] - own.velocity
    range_m = np.maximum(np.sqrt(np.vecdot(position, position)), SHORTEST_RANGE_M)
    sight = position / range_m[:, None]
    doppler_mps = np.vecdot(sight, velocity)
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
        nearest.append((lone[found], plot[chosen[found]], apart[:, chosen[found]]))
    tracks_found, plots_found, distances = zip(*nearest, strict=True)
    return np.concatenate(tracks_found), np.concatenate(plots_found), np.concatenate(distances, axis=1)


def _are_two(tracks: TrackTable, one: Index, other: Index, parameters: TrackerParameters) -> Mask:
    """Return where states differ by more than chance; else one track may be a duplicate of the other."""
    state, covariance = tracks["mode_mean"][:, QUIET, MOTION], tracks["mode_covariance"][:, QUIET, MOTION, MOTION]
    distance = quadratic(state[one] - state[other], inverse(covariance[one] + covariance[other]))
    two: Mask = distance > parameters.reattach_threshold
    return two
