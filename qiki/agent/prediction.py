"""Prediction: where tracks will be, and how sure that is."""

from collections.abc import Sequence

import numpy as np

from qiki.agent.world import SeenTrack
from qiki.arrays import Array
from qiki.contracts.estimates import TrackEstimate
from qiki.tracking.estimate_bodies import read_estimates
from qiki.tracking.estimates import predict_path

UPPER = np.triu_indices(3)


def predict_tracks(tracks: Sequence[SeenTrack], times_s: Sequence[float]) -> tuple[Array, Array]:
    """Return the positions of n tracks at k times, (n, k, 3) [m], and their covariances, (n, k, 3, 3) [m²].

    World axes, relative to where the bot will be if it does not accelerate. From its estimate a track is predicted as
    the tracker does: it may begin a manoeuvre, or end one. A track without an estimate goes on along its velocity, and
    only the uncertainty of position and velocity grows; it is NaN where its message has no position or velocity.

    Args:
        times_s: from the time of the tracks' frame, 0 to 60 s, in ascending order

    Raises:
        ValueError: the times are none of these.
    """
    position, covariance = _straight(tracks, np.asarray(times_s, dtype=np.float64))
    known = [(row, seen.estimate.report) for row, seen in enumerate(tracks) if seen.estimate is not None]
    if known:
        rows, estimates = zip(*known, strict=True)
        position[list(rows)], covariance[list(rows)] = _predicted(estimates, times_s)
    return position, covariance


def predict_track(seen: SeenTrack, t_s: float) -> tuple[Array, Array]:
    """Return a track's position, (3,) [m], and its covariance, (3, 3) [m²], as `predict_tracks` does."""
    position, covariance = predict_tracks((seen,), (t_s,))
    return position[0, 0], covariance[0, 0]


def _predicted(estimates: Sequence[TrackEstimate], times_s: Sequence[float]) -> tuple[Array, Array]:
    return predict_path(read_estimates(estimates), times_s)


def _straight(tracks: Sequence[SeenTrack], t_s: Array) -> tuple[Array, Array]:
    """Return positions and covariances on straight courses."""
    rows = np.array([_report(seen) for seen in tracks], dtype=np.float64).reshape(-1, 18)
    place, velocity, *triangles = np.split(rows, [3, 6, 12], axis=1)
    spread, drift = np.zeros((2, len(tracks), 3, 3))
    for matrix, triangle in zip((spread, drift), triangles, strict=True):
        matrix[:, UPPER[0], UPPER[1]] = matrix[:, UPPER[1], UPPER[0]] = triangle
    position: Array = place[:, None] + velocity[:, None] * t_s[:, None]
    covariance: Array = spread[:, None] + drift[:, None] * t_s[:, None, None] ** 2
    return position, covariance


def _report(seen: SeenTrack) -> list[float]:
    """Return position, velocity and their covariances: 18 numbers."""
    track, unknown = seen.report, float("nan")
    vectors = ((one.x, one.y, one.z) if one else (unknown,) * 3 for one in (track.position, track.velocity))
    triangles = (one or (0.0,) * 6 for one in (track.position_covariance, track.velocity_covariance))
    return [value for part in (*vectors, *triangles) for value in part]
