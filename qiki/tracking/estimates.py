"""Estimates: each track's whole state after a scan, and the prediction of it.

A track's report has what is measured. What comes depends on more: the acceleration, the covariance between position
and velocity, and whether the contact is in a manoeuvre.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np

from qiki.arrays import Array, Index
from qiki.tracking.parameters import TrackerParameters
from qiki.tracking.predictor import predicted
from qiki.tracking.tracks import MODES, POSITION, Modes

LONGEST_S = 60.0
STEP_S = 1.0


@dataclass(frozen=True, eq=False, slots=True)
class Estimates:
    """States in world axes, in the order of the tracks' birth."""

    track_id: Sequence[str]  # n UUIDs as text
    state: Array  # (n, 9) position, velocity and acceleration [m, m/s, m/s²]
    covariance: Array  # (n, 9, 9)
    mode_probabilities: Array  # (n, 2) of quiet flight and of a manoeuvre
    existence: Array  # (n,) probability that the track is a real contact

    def take(self, rows: Index) -> "Estimates":
        """Return those of an index."""
        ids = [self.track_id[row] for row in rows.tolist()]
        columns = self.state, self.covariance, self.mode_probabilities, self.existence
        return Estimates(ids, *(column[rows] for column in columns))


def predict(estimates: Estimates, t_s: float, parameters: TrackerParameters | None = None) -> tuple[Array, Array]:
    """Return the positions after a time, (n, 3) [m], world axes, and their covariances, (n, 3, 3) [m²].

    The modes switch on the way, once a second at most: a contact in quiet flight may begin a manoeuvre, and one that
    manoeuvres comes to rest in quiet flight. The covariance is that of their mixture, which is not normal: its tails
    are longer.

    Args:
        t_s: 0 to 60 s
        parameters: of the tracker that made the estimates; None: the default ones

    Raises:
        ValueError: the time is none of these.
    """
    if not 0 <= t_s <= LONGEST_S:
        raise ValueError(f"{t_s} s ahead (expected 0 to {LONGEST_S:g})")
    shape = len(estimates.state), MODES
    modes = Modes(
        estimates.mode_probabilities,
        np.broadcast_to(estimates.state[:, None], (*shape, estimates.state.shape[-1])),
        np.broadcast_to(estimates.covariance[:, None], (*shape, *estimates.covariance.shape[1:])),
    )
    steps = ceil(t_s / STEP_S)
    for _ in range(steps):
        modes = predicted(modes, t_s / steps, parameters or TrackerParameters())
    position = modes.merged(POSITION)
    return position.mean, position.covariance
