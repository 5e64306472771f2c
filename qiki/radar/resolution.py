"""Resolution: echoes closer than one cell in range, angle and Doppler merge."""

import math

import numpy as np

from qiki.arrays import Array, Index, Mask
from qiki.radar.parameters import RadarParameters


def leaders(parameters: RadarParameters, range_m: Array, sight: Array, vr_mps: Array, mean_snr: Array) -> Index:
    """Return for each echo the one that it merges into: the strongest within one cell, or itself: (n,).

    Args:
        parameters: resolution in range, angle and Doppler
        range_m: (n,) [m]
        sight: (n, 3) unit lines of sight
        vr_mps: (n,) [m/s]
        mean_snr: (n,)
    """
    result = np.arange(len(range_m))
    first, second = _within(range_m, parameters.range_resolution_m)
    first, second = _keep(first, second, np.abs(vr_mps[first] - vr_mps[second]) < parameters.speed_resolution_mps)
    together = np.einsum("ij,ij->i", sight[first], sight[second]) > math.cos(math.radians(parameters.beam_width_deg))
    first, second = _keep(first, second, together)
    if len(first):
        _absorb(result, first, second, mean_snr)
    return result


def centroids(values: Array, leader: Index, weights: Array) -> Array:
    """Return the weighted mean of the echoes of each leader: (n,); zero for the others."""
    total = np.bincount(leader, weights, len(leader))
    return np.bincount(leader, weights * values, len(leader)) / np.where(total > 0, total, 1.0)


def _keep(first: Index, second: Index, mask: Mask) -> tuple[Index, Index]:
    return first[mask], second[mask]


def _within(values: Array, width: float) -> tuple[Index, Index]:
    """Return all pairs of indices whose values differ by less than `width`: neighbours in sorted order."""
    order = np.argsort(values, kind="stable")
    ranked = values[order]
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
