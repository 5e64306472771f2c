"""Associator: global nearest neighbour, the assignment of greatest total log-likelihood ratio.

The gain of a pair is its log-likelihood ratio against "the track was missed, the plot is a false alarm" (Blackman &
Popoli 1999, section 6.4). Pairs without gain are not assigned.
"""

import lap
import numpy as np

from qiki.arrays import Array, Index
from qiki.tracking.gate import Pairs
from qiki.tracking.parameters import TrackerParameters
from qiki.tracking.tracks import NOBODY, TrackTable

LARGEST_CONTEST = 100_000
"""Cells of the cost matrix up to which the optimal assignment is computed: some 10 ms. Beyond it is greedy."""


def gains(pairs: Pairs, tracks: TrackTable, reply: Index, false_alarms: float, parameters: TrackerParameters) -> Array:
    """Return each pair's gain: (k,). An equal identity adds a little to it, an unequal one takes as much.

    `reply`, (m,), is the index of the identity that each plot claims, `false_alarms` the mean number a scan.
    """
    detected = tracks["detection_probability"][pairs.track]
    missed = 1 - detected * parameters.gate_probability
    kinematic = np.log(detected / missed) + pairs.log_likelihood - parameters.log_clutter_density(false_alarms)
    held, claimed = tracks["identity"][pairs.track], reply[pairs.plot]
    both = (held != NOBODY) & (claimed != NOBODY)
    return np.where(kinematic > 0, kinematic + parameters.identity_bonus * both * np.where(held == claimed, 1, -1), 0.0)


def associate(pairs: Pairs, gain: Array, tracks: int, plots: int) -> Index:
    """Return the rows of `pairs` that are assigned, in the order of the tracks; no track and no plot twice."""
    worth = np.flatnonzero(gain > 0)
    track, plot = pairs.track[worth], pairs.plot[worth]
    rivals = (np.bincount(track, minlength=tracks)[track] > 1) | (np.bincount(plot, minlength=plots)[plot] > 1)
    if not rivals.any():
        return worth
    alone, contested = worth[~rivals], worth[rivals]
    return np.sort(np.concatenate((alone, contested[_assign(track[rivals], plot[rivals], gain[contested])])))


def _assign(track: Index, plot: Index, gain: Array) -> Index:
    """Return the rows chosen among rivals. A pair outside the gate costs zero; assigned, it is dropped."""
    rows, row = np.unique(track, return_inverse=True)
    columns, column = np.unique(plot, return_inverse=True)
    if len(rows) * len(columns) > LARGEST_CONTEST:
        return greedy(track, plot, gain)
    cost = np.zeros((len(rows), len(columns)))
    cost[row, column] = -gain
    chosen_row, chosen_column = lap.lapjvc(cost, return_cost=False)
    partner = np.full(len(rows), -1)
    partner[chosen_row] = chosen_column
    return np.flatnonzero(partner[row] == column)


def greedy(track: Index, plot: Index, gain: Array) -> Index:
    """Return the rows chosen by greatest gain first, for crowds in which the optimum would take too long."""
    chosen, tracks, plots = [], set(), set()
    order = np.argsort(-gain, kind="stable")
    for row, one, other in zip(order.tolist(), track[order].tolist(), plot[order].tolist(), strict=True):
        if one not in tracks and other not in plots:
            chosen.append(row)
            tracks.add(one)
            plots.add(other)
    return np.array(chosen, dtype=np.intp)
