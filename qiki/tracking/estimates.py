"""Estimates: each track's whole state after a scan, and the prediction of it.

A track's report has what is measured. What comes depends on more: the acceleration, the covariance between position
and velocity, and whether the contact is in a manoeuvre.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil

import numpy as np

from qiki.arrays import Array, Index
from qiki.tracking.parameters import TrackerParameters
from qiki.tracking.predictor import predicted
from qiki.tracking.tracks import POSITION, Estimate, Modes

LONGEST_S = 60.0
STEP_S = 1.0


@dataclass(frozen=True, eq=False, slots=True)
class Estimates:
    """States in world axes, a row a track."""

    track_id: Sequence[str]  # n UUIDs as text
    modes: Modes  # of n tracks
    existence: Array  # (n,) probability that the track is a real contact

    @property
    def merged(self) -> Estimate:
        """The states with the modes merged: (n, 9), (n, 9, 9)."""
        return self.modes.merged()

    def take(self, rows: Index) -> "Estimates":
        """Return those of an index."""
        ids = [self.track_id[row] for row in rows.tolist()]
        return Estimates(ids, self.modes.take(rows), self.existence[rows])

    def seen_from(self, position: Array, velocity: Array) -> "Estimates":
        """Return the states relative to a place, (3,) [m], and its velocity, (3,) [m/s]; accelerations stay."""
        own = np.concatenate((position, velocity, np.zeros_like(position)))
        return replace(self, modes=self.modes._replace(mean=self.modes.mean - own))


def predict(estimates: Estimates, t_s: float, parameters: TrackerParameters | None = None) -> tuple[Array, Array]:
    """Return the positions after a time, (n, 3) [m], world axes, and their covariances, (n, 3, 3) [m²].

    The modes may switch on the way, in steps of at most a second: a contact in quiet flight may begin a manoeuvre, and
    one that manoeuvres may end it. The covariance is that of their mixture, which is not normal: its tails are longer.

    Args:
        t_s: 0 to 60 s
        parameters: of the tracker that made the estimates; None: the default ones

    Raises:
        ValueError: the time is none of these.
    """
    positions, covariances = predict_path(estimates, [t_s], parameters)
    return positions[:, 0], covariances[:, 0]


def predict_path(
    estimates: Estimates, times_s: Sequence[float], parameters: TrackerParameters | None = None
) -> tuple[Array, Array]:
    """Return the positions at k times, (n, k, 3) [m], and their covariances, (n, k, 3, 3) [m²], as `predict` does.

    Args:
        times_s: 0 to 60 s, in ascending order
        parameters: of the tracker that made the estimates; None: the default ones

    Raises:
        ValueError: the times are none of these.
    """
    modes, now_s, places = estimates.modes, 0.0, []
    for t_s in times_s:
        if not now_s <= t_s <= LONGEST_S:
            raise ValueError(f"{t_s} s ahead (expected {now_s:g} to {LONGEST_S:g})")
        steps = ceil((t_s - now_s) / STEP_S)
        for _ in range(steps):
            modes = predicted(modes, (t_s - now_s) / steps, parameters or TrackerParameters())
        places.append(modes.merged(POSITION))
        now_s = t_s
    return np.stack([one.mean for one in places], 1), np.stack([one.covariance for one in places], 1)
