"""Echoes and plots on their way through the radar, as arrays."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from qiki.arrays import Array, Index
from qiki.radar import resolution
from qiki.radar.echoes import ComplexArray


@dataclass(frozen=True)
class Plots:
    """What the radar has of n contacts, real ones or not."""

    range_m: Array
    sight: Array
    """(n, 3), lines of sight"""
    vr_mps: Array
    snr: Array
    claims: NDArray[np.object_]
    """The identity that a transponder's reply claims, None where there is no reply."""

    def __len__(self) -> int:
        return len(self.range_m)

    def take(self, chosen: NDArray[np.int64]) -> "Plots":
        """Some of them, by index."""
        return Plots(
            self.range_m[chosen], self.sight[chosen], self.vr_mps[chosen], self.snr[chosen], self.claims[chosen]
        )

    def with_snr(self, snr: Array) -> "Plots":
        """The same with another SNR."""
        return replace(self, snr=snr)

    def with_claims(self, claims: NDArray[np.object_]) -> "Plots":
        """The same with other replies."""
        return replace(self, claims=claims)

    def joined(self, other: "Plots") -> "Plots":
        """These and those."""
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
    """Echoes of one cell become one: amplitudes add, its place is the SNR-weighted centroid, the strongest one replies.

    Args:
        echoes: with their mean SNR.
        amplitude: (n,)
        leader: (n,), see `resolution.leaders`
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
