"""Jumps: a contact that changed its velocity too suddenly for its track's gate is found by a wider one.

A missed track may have its plot outside the gate. In the same scan its state is widened by a velocity change at a time
unknown since the last plot, and its plot is sought among those that no track explains. The likelihood of such a pair is
as any other's, times the probability of a jump; new contacts compete with it.
"""

from dataclasses import replace

import numpy as np

from qiki.arrays import Array, Index
from qiki.tracking.associator import associate, gains
from qiki.tracking.gate import NO_PAIRS, Pairs, gate
from qiki.tracking.measurement import Measurements, OwnState
from qiki.tracking.parameters import TrackerParameters
from qiki.tracking.resolution import Shared
from qiki.tracking.scan import SECOND_US
from qiki.tracking.score import Rates
from qiki.tracking.tracks import ACCELERATION, HARD, MOTION, RECORD, TRACK, TrackTable

AXES = np.eye(3)
TINY = 1e-9
"""Least probability of a jump: two scans may be of one moment."""


def impulse(elapsed_s: Array, parameters: TrackerParameters) -> Array:
    """Return the covariance that a jump within a time adds to the state, as likely at any moment: (k,) -> (k, 6, 6)."""
    one = np.ones_like(elapsed_s)
    one_axis = np.stack((elapsed_s**2 / 3, elapsed_s / 2, elapsed_s / 2, one), axis=-1).reshape(-1, 2, 2)
    covariance: Array = np.einsum("kab,ij->kaibj", parameters.sigma_impulse_mps**2 * one_axis, AXES).reshape(-1, 6, 6)
    return covariance


def silence_s(tracks: TrackTable, rows: Index, t_us: int, parameters: TrackerParameters) -> Array:
    """Return the times since the tracks' last plots in which they may have jumped, (k,) [s].

    A plot that a track shares does not count: it shows the centre of a group, and a jump of one contact hardly.
    """
    silent_s: Array = (t_us - tracks["last_hit_us"][rows]) / SECOND_US
    return np.minimum(silent_s, parameters.longest_silence_s)


def jump(
    tracks: TrackTable,
    near: Pairs,
    assigned: Pairs,
    shared: Shared,
    plots: Measurements,
    own: OwnState,
    claims: Index,
    t_us: int,
    rates: Rates,
    parameters: TrackerParameters,
) -> Pairs:
    """Widen the missed tracks that have a plot beyond their gate, in place; return the pairs.

    `near` are the pairs in the gates; `claims`, (m,), the index of the identity that each plot claims.
    """
    missed = tracks["confirmed"].copy()
    missed[assigned.track] = missed[shared.track] = False
    lost = np.flatnonzero(missed)
    if not len(lost):
        return NO_PAIRS
    free = np.ones(len(plots.range_m), dtype=np.bool_)
    free[assigned.plot] = free[shared.plot] = False
    free[near.plot[~missed[near.track]]] = False  # it may be of another track
    open_plots = np.flatnonzero(free)
    if not len(open_plots):
        return NO_PAIRS
    silent_s = silence_s(tracks, lost, t_us, parameters)
    wider = widened(tracks.view(RECORD)[lost].view(TRACK), silent_s, parameters)
    pairs = gate(wider, plots.take(open_plots), own, parameters)
    if not len(pairs):
        return NO_PAIRS
    # Among several missed tracks the nearest may be the wrong one.
    pairs = pairs.take(np.flatnonzero(np.bincount(pairs.plot, minlength=len(open_plots))[pairs.plot] == 1))
    likely = np.clip(parameters.jump_rate_hz * silent_s, TINY, 1.0) / (1 + rates.new_contacts / rates.false_alarms)
    pairs = replace(pairs, log_likelihood=pairs.log_likelihood + np.log(likely)[pairs.track])
    gain = gains(pairs, wider, claims[open_plots], rates.false_alarms, parameters)
    pairs = pairs.take(associate(pairs, gain, len(lost), len(open_plots)))
    rows = lost[pairs.track]
    tracks.view(RECORD)[rows] = wider.view(RECORD)[pairs.track]
    return replace(pairs, track=rows, plot=open_plots[pairs.plot])


def widened(tracks: TrackTable, silent_s: Array, parameters: TrackerParameters) -> TrackTable:
    """Return tracks with a velocity change within their silent times, (k,), in all modes."""
    mean, covariance = tracks["mode_mean"], tracks["mode_covariance"]
    wide = covariance[:, HARD, MOTION, MOTION] + impulse(silent_s, parameters)
    covariance[:, :, MOTION, MOTION] = wide[:, None]
    covariance[:, :, MOTION, ACCELERATION] = 0
    covariance[:, :, ACCELERATION, MOTION] = 0
    mean[:] = mean[:, HARD, None]
    mean[:, :, ACCELERATION] = 0
    return tracks
