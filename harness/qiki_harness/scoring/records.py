"""The records that are scored: contacts, tracks and plots of each scan."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from qiki.arrays import Array

FULL = np.array([0, 1, 2, 1, 3, 4, 2, 4, 5])
"""A symmetric 3 x 3 matrix from its upper triangle."""


@dataclass(frozen=True, eq=False, slots=True)
class Truth:
    """The contacts that were there, in world axes.

    Attributes:
        ids: n names
        position: (n, 3) [m]
        velocity: (n, 3) [m/s]
    """

    ids: Sequence[str]
    position: Array
    velocity: Array


@dataclass(frozen=True, eq=False, slots=True)
class Tracks:
    """The tracks that are believed in, in world axes.

    Attributes:
        ids: m names
        position: (m, 3) [m]
        velocity: (m, 3) [m/s]
        position_covariance: (m, 3, 3) [m²]
        velocity_covariance: (m, 3, 3) [m²/s²]
    """

    ids: Sequence[str]
    position: Array
    velocity: Array
    position_covariance: Array
    velocity_covariance: Array


@dataclass(frozen=True, eq=False, slots=True)
class ScanRecord:
    """One scan.

    Attributes:
        t_s: event time since the first scan
        truth: the contacts
        tracks: those that are believed in
        plots: (k, 3) measured positions, world axes [m]
    """

    t_s: float
    truth: Truth
    tracks: Tracks
    plots: Array


def symmetric(upper: Array) -> Array:
    """Return matrices from their upper triangles, as tracks have them: (m, 6) -> (m, 3, 3)."""
    return upper.reshape(-1, 6)[:, FULL].reshape(-1, 3, 3)
