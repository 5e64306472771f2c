"""The records that are scored: contacts, tracks and plots of each scan."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import ArrayLike

from qiki.arrays import Array, Index, Mask
from qiki.contracts.enums import RadarTrackStatus
from qiki.tracking import Estimates, predict

CONFIRMED = (RadarTrackStatus.TRACKED, RadarTrackStatus.COASTING)
BELIEVED = 0.99
"""A track's `quality` is the probability that it is a real contact: from here on a new one counts too."""
FULL = np.array([0, 1, 2, 1, 3, 4, 2, 4, 5])
"""A symmetric 3 x 3 matrix from its upper triangle."""


@dataclass(frozen=True, eq=False, slots=True)
class Truth:
    """The contacts that were there, in world axes."""

    ids: Sequence[str]  # n names
    position: Array  # (n, 3) [m]
    velocity: Array  # (n, 3) [m/s]


@dataclass(frozen=True, eq=False, slots=True)
class Tracks:
    """Tracks in world axes."""

    ids: Sequence[str]  # m names
    position: Array  # (m, 3) [m]
    velocity: Array  # (m, 3) [m/s]
    position_covariance: Array  # (m, 3, 3) [m²]
    velocity_covariance: Array  # (m, 3, 3) [m²/s²]
    existence: Array  # (m,) probability that it is a real contact
    estimates: Estimates | None = None  # m whole states, where the tracker tells them

    def take(self, which: Mask) -> "Tracks":
        """Return those of a mask, (m,)."""
        ids = [name for name, taken in zip(self.ids, which.tolist(), strict=True) if taken]
        estimates = self.estimates and self.estimates.take(np.flatnonzero(which))
        return replace(self, ids=ids, estimates=estimates, **{name: getattr(self, name)[which] for name in COLUMNS})

    def beside(self, others: "Tracks") -> "Tracks":
        """Return these tracks and others in one table, without their estimates."""
        columns = {name: np.concatenate((getattr(self, name), getattr(others, name))) for name in COLUMNS}
        return replace(self, ids=[*self.ids, *others.ids], estimates=None, **columns)

    def ahead(self, rows: Index, t_s: float) -> tuple[Array, Array]:
        """Return the positions of tracks after a time, (k, 3), and their covariances, (k, 3, 3).

        As the tracker predicts them. Without its estimates a track is continued along its velocity: its message has
        neither the covariance between position and velocity nor the noise of its motion, so what grows with time is
        the variance of velocity alone, too little for a contact that manoeuvres.
        """
        if self.estimates is not None and t_s:
            return predict(self.estimates.take(rows), t_s)
        spread = self.position_covariance[rows] + t_s**2 * self.velocity_covariance[rows]
        return self.position[rows] + t_s * self.velocity[rows], spread


COLUMNS = [field.name for field in fields(Tracks) if field.name not in {"ids", "estimates"}]
NO_TRACKS = Tracks([], np.zeros((0, 3)), np.zeros((0, 3)), np.zeros((0, 3, 3)), np.zeros((0, 3, 3)), np.zeros(0))


@dataclass(frozen=True, eq=False, slots=True)
class ScanRecord:
    """One scan."""

    t_s: float  # event time since the first scan
    truth: Truth
    tracks: Tracks  # that are believed in
    plots: Array  # (k, 3) measured positions, world axes [m]
    own_position: Array  # (3,) of the bot, world axes [m]
    doubted: Tracks = NO_TRACKS  # the others

    @property
    def every(self) -> Tracks:
        """All tracks: those that are believed in, then the others."""
        return self.tracks.beside(self.doubted)


def symmetric(upper: Array) -> Array:
    """Return matrices from their upper triangles, as tracks have them: (m, 6) -> (m, 3, 3)."""
    return upper.reshape(-1, 6)[:, FULL].reshape(-1, 3, 3)


def split(tracks: Tracks, status: ArrayLike, quality: ArrayLike) -> tuple[Tracks, Tracks]:
    """Return the tracks that are believed in and those that are doubted; lost ones are neither."""
    sure = believed(status, quality)
    return tracks.take(sure), tracks.take(~sure & (np.asarray(status) != RadarTrackStatus.LOST))


def believed(status: ArrayLike, quality: ArrayLike) -> Mask:
    """Return which tracks say they are real contacts: confirmed ones, and new ones of high quality; (m,)."""
    new = (np.asarray(status) == RadarTrackStatus.NEW) & (np.asarray(quality) >= BELIEVED)
    return np.asarray(np.isin(status, CONFIRMED) | new, dtype=np.bool_)
