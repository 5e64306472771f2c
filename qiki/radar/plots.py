"""Echoes and plots inside the radar, as arrays: resolution, false alarms, and replies."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qiki.arrays import Array, Index
from qiki.geometry import unit_vectors
from qiki.radar import equation
from qiki.radar.detection import ComplexArray, noise, threshold
from qiki.radar.parameters import RadarParameters


@dataclass(frozen=True, slots=True)
class Plots:
    """Echoes or plots of n contacts, real or false."""

    range_m: Array  # (n,)
    sight: Array  # (n, 3) lines of sight, world axes
    vr_mps: Array  # (n,) range rate
    snr: Array  # (n,) power ratio
    claims: NDArray[np.object_]  # (n,) identity that a reply claims, None where there is no reply

    def __len__(self) -> int:
        return len(self.range_m)

    @property
    def _columns(self) -> tuple[NDArray[Any], ...]:
        return self.range_m, self.sight, self.vr_mps, self.snr, self.claims

    def take(self, chosen: NDArray[np.int64]) -> "Plots":
        """Return the rows of `chosen`."""
        return Plots(*[column.take(chosen, axis=0) for column in self._columns])

    def joined(self, other: "Plots") -> "Plots":
        """Return these, then the others."""
        return Plots(*map(np.concatenate, zip(self._columns, other._columns, strict=True)))


def merge(echoes: Plots, amplitude: ComplexArray, leader: Index) -> tuple[Plots, ComplexArray]:
    """Merge the echoes of one cell: amplitudes add, the place is the SNR-weighted centroid, the strongest one replies.

    `amplitude`, (n,), is in units of the noise amplitude; for `leader`, (n,), see `leaders`.
    """
    kept = np.flatnonzero(leader == np.arange(len(leader)))
    if len(kept) == len(leader):
        return echoes, amplitude
    total = np.zeros_like(amplitude)
    np.add.at(total, leader, amplitude)
    sight = np.stack([centroids(axis, leader, echoes.snr) for axis in echoes.sight.T], axis=1)[kept]
    merged = Plots(
        centroids(echoes.range_m, leader, echoes.snr)[kept],
        sight / np.linalg.norm(sight, axis=1, keepdims=True),
        centroids(echoes.vr_mps, leader, echoes.snr)[kept],
        echoes.snr[kept],
        echoes.claims[kept],
    )
    return merged, total[kept]


def leaders(parameters: RadarParameters, range_m: Array, sight: Array, vr_mps: Array, mean_snr: Array) -> Index:
    """Return for each echo the one that it merges into: the strongest within one cell, or itself: (n,)."""
    result = np.arange(len(range_m))
    first, second = _within(range_m, parameters.range_resolution_m)
    if not len(first):
        return result
    alike = np.abs(vr_mps[first] - vr_mps[second]) < parameters.speed_resolution_mps
    first, second = first[alike], second[alike]
    together = np.einsum("ij,ij->i", sight[first], sight[second]) > math.cos(math.radians(parameters.beam_width_deg))
    first, second = first[together], second[together]
    if len(first):
        _absorb(result, first, second, mean_snr)
    return result


def centroids(values: Array, leader: Index, weights: Array) -> Array:
    """Return the weighted mean of the echoes of each leader: (n,); zero for the others."""
    total = np.bincount(leader, weights, len(leader))
    return np.bincount(leader, weights * values, len(leader)) / np.where(total > 0, total, 1.0)


def _within(values: Array, width: float) -> tuple[Index, Index]:
    """Return all pairs of indices whose values differ by less than `width`: neighbours in sorted order."""
    order = values.argsort(kind="stable")
    ranked = values.take(order)
    if not (ranked[1:] < ranked[:-1] + width).any():
        return order[:0], order[:0]
    followers = np.searchsorted(ranked, ranked + width) - np.arange(1, len(values) + 1)
    first = np.repeat(np.arange(len(values)), followers)
    offset = np.arange(len(first)) - np.repeat(np.cumsum(followers) - followers, followers)
    return order[first], order[first + 1 + offset]


def _absorb(leader: Index, first: Index, second: Index, mean_snr: Array) -> None:
    """Assign leaders, the strongest first: an echo without a leader takes the weaker ones without one."""
    rank = np.empty_like(leader)
    rank[np.argsort(-mean_snr, kind="stable")] = np.arange(len(leader))
    forward = rank[first] < rank[second]
    strong, weak = np.where(forward, first, second), np.where(forward, second, first)
    order = np.lexsort((rank[weak], rank[strong]))
    for host, guest in zip(strong[order].tolist(), weak[order].tolist(), strict=True):
        if leader[host] == host and leader[guest] == guest:
            leader[guest] = host


class FalseAlarms:
    """False alarms of a radar: in each look a Poisson number, uniform over the resolution cells.

    The cells are many and the probability in each is small: the Poisson clutter model (Bar-Shalom, Willett and Tian,
    Tracking and Data Fusion, ch. 2). Exponential power has no memory, so the power above the threshold is Exp(1).
    """

    def __init__(self, parameters: RadarParameters) -> None:
        self._per_look = parameters.false_alarms_per_look
        self._range_m = parameters.min_range_m, parameters.max_range_m
        self._top_speed_mps = parameters.unambiguous_speed_mps
        self._threshold = threshold(parameters.false_alarm_probability)

    def added(self, plots: Plots, rng: np.random.Generator) -> Plots:
        """Return the plots, and after them those that are drawn for one look."""
        count = int(rng.poisson(self._per_look))
        return plots.joined(self._draw(count, rng)) if count else plots

    def _draw(self, count: int, rng: np.random.Generator) -> Plots:
        bearing_rad = rng.uniform(0.0, 2 * np.pi, count)
        elevation_rad = np.arcsin(rng.uniform(-1.0, 1.0, count))
        return Plots(
            rng.uniform(*self._range_m, count),
            unit_vectors(bearing_rad, elevation_rad),
            rng.uniform(-self._top_speed_mps, self._top_speed_mps, count),
            self._threshold + rng.standard_exponential(count) - 1.0,
            np.full(count, None),
        )


def decoded(parameters: RadarParameters, plots: Plots, rng: np.random.Generator) -> Plots:
    """Return the plots with the decoded replies only; without a link all are decoded and nothing is drawn.

    A reply is decoded if its power with the noise is above the decoder's threshold, with the probability of Marcum's Q
    (see `detection`), unless it is lost for another reason (Stevens, Secondary Surveillance Radar: garbling, a
    transponder that is busy or shaded).
    """
    link = parameters.replies
    if link is None:
        return plots
    power = np.abs(np.sqrt(equation.reply_snr(parameters, link, plots.range_m)) + noise((len(plots),), rng)) ** 2
    lost = (power <= equation.from_db(link.threshold_db)) | (rng.random(len(plots)) < link.loss_probability)
    claims = plots.claims.copy()
    claims[lost] = None
    return Plots(plots.range_m, plots.sight, plots.vr_mps, plots.snr, claims)
