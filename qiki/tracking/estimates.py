"""Estimates: each track's whole state after a scan, and the prediction of it.

A track's report has what is measured. What comes depends on more: the acceleration, the covariance between position
and velocity, and whether the contact is in a manoeuvre.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

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
        return Estimates(ids, Modes(*(column[rows] for column in self.modes)), self.existence[rows])


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
    if not 0 <= t_s <= LONGEST_S:
        raise ValueError(f"{t_s} s ahead (expected 0 to {LONGEST_S:g})")
    modes, steps = estimates.modes, ceil(t_s / STEP_S)
    for _ in range(steps):
        modes = predicted(modes, t_s / steps, parameters or TrackerParameters())
    position = modes.merged(POSITION)
    return position.mean, position.covariance
