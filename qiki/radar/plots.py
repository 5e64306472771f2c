"""Echoes and plots inside the radar, as arrays."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qiki.arrays import Array, Index
from qiki.radar import resolution
from qiki.radar.echoes import ComplexArray


@dataclass(frozen=True)
class Plots:
    """Echoes or plots of n contacts, real or false."""

    range_m: Array  # (n,)
    sight: Array  # (n, 3) lines of sight, world axes
    vr_mps: Array  # (n,) range rate
    snr: Array  # (n,) power ratio
    claims: NDArray[np.object_]  # (n,) identity that a reply claims, None where there is no reply

    def __len__(self) -> int:
        return len(self.range_m)

    def take(self, chosen: NDArray[np.int64]) -> "Plots":
        """Return the rows of `chosen`."""
        return Plots(
            self.range_m[chosen], self.sight[chosen], self.vr_mps[chosen], self.snr[chosen], self.claims[chosen]
        )

    def joined(self, other: "Plots") -> "Plots":
        """Return these, then the others."""
        if not len(other):
            return self
        return Plots(
            np.concatenate((self.range_m, other.range_m)),
            np.concatenate((self.sight, other.sight)),
            np.concatenate((self.vr_mps, other.vr_mps)),
            np.concatenate((self.snr, other.snr)),
            np.concatenate((self.claims, other.claims)),
        )


def merge(echoes: Plots, amplitude: ComplexArray, leader: Index) -> tuple[Plots, ComplexArray]:
    """Merge the echoes of one cell: amplitudes add, the place is the SNR-weighted centroid, the strongest one replies.

    Args:
        echoes: with their mean SNR
        amplitude: (n,) in units of the noise amplitude
        leader: (n,) see `resolution.leaders`
    """
    kept = np.flatnonzero(leader == np.arange(len(leader)))
    if len(kept) == len(leader):
        return echoes, amplitude
    total = np.zeros_like(amplitude)
    np.add.at(total, leader, amplitude)
    sight = np.stack([resolution.centroids(axis, leader, echoes.snr) for axis in echoes.sight.T], axis=1)[kept]
    merged = Plots(
        resolution.centroids(echoes.range_m, leader, echoes.snr)[kept],
        sight / np.linalg.norm(sight, axis=1, keepdims=True),
        resolution.centroids(echoes.vr_mps, leader, echoes.snr)[kept],
        echoes.snr[kept],
        echoes.claims[kept],
    )
    return merged, total[kept]
