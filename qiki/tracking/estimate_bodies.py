"""Estimates as bodies of messages, and back: the modes are merged on the wire, and separated again by a reader."""

from collections.abc import Sequence

import numpy as np
from pydantic_core import to_json

from qiki.arrays import Array
from qiki.contracts.estimates import MAX_ESTIMATES_BYTES, TrackEstimate
from qiki.tracking.estimates import Estimates
from qiki.tracking.tracks import ACCELERATION, MODES, MOTION, STATE, Modes

UPPER = np.triu_indices(STATE)
DIGITS = 6  # of a covariance
POWERS = 10.0 ** np.arange(23)
"""The powers of ten that a float holds exactly."""
HEAD_BYTES = 1024  # allowed for what stands before a part's tracks
LEAST = 1e-9
"""Of the probability of a manoeuvre, and of an eigenvalue as a share of the largest: below, rounding rules."""


def estimate_bodies(estimates: Estimates, run_id: str, frame: int, timestamp: str) -> list[bytes]:
    """Return the TrackEstimates payloads of a frame, one at least; the estimates are relative to the bot.

    The numbers of all tracks become text in a few calls.
    """
    parts = _parts(_rows(estimates))
    head = f'{{"run_id":{to_json(run_id).decode()},"frame":{frame},"timestamp":"{timestamp}"'
    return [
        f'{head},"part":{number},"parts":{len(parts)},"tracks":[{",".join(rows)}]}}'.encode()
        for number, rows in enumerate(parts, 1)
    ]


def read_estimates(tracks: Sequence[TrackEstimate]) -> Estimates:
    """Return the estimates of tracks as they were read, with modes that merge into the state of the message.

    Quiet flight has no acceleration; the manoeuvres share the mean and covariance that are left then. Position and
    velocity depend on the acceleration in each mode as they do in the merged state.
    """
    mean = np.array([one.state for one in tracks]).reshape(-1, STATE)
    covariance = np.zeros((len(tracks), STATE, STATE))
    triangle = np.array([one.covariance for one in tracks]).reshape(-1, len(UPPER[0]))
    covariance[:, UPPER[0], UPPER[1]] = covariance[:, UPPER[1], UPPER[0]] = triangle
    probability = np.array([_shared(one.mode_probabilities) for one in tracks]).reshape(-1, MODES)
    existence = np.array([one.existence for one in tracks])
    return Estimates([str(one.track_id) for one in tracks], _separated(mean, covariance, probability), existence)


def _rows(estimates: Estimates) -> list[str]:
    """Return the text of each track."""
    if not len(estimates.track_id):
        return []
    merged = estimates.merged
    columns = (
        _texts(merged.mean),
        _texts(rounded(merged.covariance[:, UPPER[0], UPPER[1]])),
        _texts(estimates.modes.probability),
        estimates.existence.tolist(),
    )
    return [
        f'{{"track_id":"{track_id}","state":[{state}],"covariance":[{covariance}],'
        f'"mode_probabilities":[{probabilities}],"existence":{existence}}}'
        for track_id, state, covariance, probabilities, existence in zip(estimates.track_id, *columns, strict=True)
    ]


def _parts(rows: list[str]) -> list[list[str]]:
    """Return the tracks of each part; a text has as many bytes as letters."""
    parts: list[list[str]] = [[]]
    left = MAX_ESTIMATES_BYTES - HEAD_BYTES
    for row in rows:
        left -= len(row) + 1
        if left < 0:
            parts.append([])
            left = MAX_ESTIMATES_BYTES - HEAD_BYTES - len(row) - 1
        parts[-1].append(row)
    return parts


def _texts(values: Array) -> list[str]:
    """Return the numbers of each row, (n, m), with commas between them."""
    return to_json(values.tolist())[2:-2].decode().split("],[")


def rounded(values: Array) -> Array:
    """Return values of six significant digits, which take few letters in JSON."""
    size = np.abs(values)
    exponent = np.floor(np.log10(np.where(size > 0, size, 1.0))).astype(np.intp)
    shift = DIGITS - 1 - exponent
    up, down = (POWERS[np.clip(powers, 0, len(POWERS) - 1)] for powers in (shift, -shift))
    result: Array = np.rint(values * up / down) * down / up + 0.0  # no -0.0
    return result


def _shared(probabilities: Sequence[float]) -> list[float]:
    """Return the probabilities of this tracker's modes: of another number of manoeuvres, evenly."""
    quiet, *others = probabilities
    if len(others) != MODES - 1 or not any(others):
        others = [1.0] * (MODES - 1)
    return [quiet, *((1 - quiet) * other / sum(others) for other in others)]


def _separated(mean: Array, covariance: Array, probability: Array) -> Modes:
    """Return modes whose merged state is that of (n, 9) and (n, 9, 9), as far as that is a covariance."""
    moving = 1 - probability[:, 0]
    share = np.where(moving > LEAST, moving, 1.0)[:, None]
    merged, spread = mean[:, ACCELERATION], covariance[:, ACCELERATION, ACCELERATION]
    acceleration = merged / share
    second = (spread + merged[:, :, None] * merged[:, None, :]) / share[:, :, None]
    inner = _positive(second - acceleration[:, :, None] * acceleration[:, None, :])
    gain = covariance[:, MOTION, ACCELERATION] @ np.linalg.pinv(spread, rcond=LEAST, hermitian=True)
    still = _positive(covariance[:, MOTION, MOTION] - gain @ spread @ gain.swapaxes(-1, -2))

    means = np.repeat(mean[:, None], MODES, axis=1)
    means[:, 0, MOTION] -= np.matvec(gain, merged)
    means[:, 0, ACCELERATION] = 0.0
    means[:, 1:, MOTION] += np.matvec(gain, acceleration - merged)[:, None]
    means[:, 1:, ACCELERATION] = acceleration[:, None]
    covariances = np.zeros((len(mean), MODES, STATE, STATE))
    covariances[:, :, MOTION, MOTION] = still[:, None]
    cross = gain @ inner
    covariances[:, 1:, MOTION, MOTION] += (cross @ gain.swapaxes(-1, -2))[:, None]
    covariances[:, 1:, MOTION, ACCELERATION] = cross[:, None]
    covariances[:, 1:, ACCELERATION, MOTION] = cross.swapaxes(-1, -2)[:, None]
    covariances[:, 1:, ACCELERATION, ACCELERATION] = inner[:, None]
    return Modes(probability, means, covariances)


def _positive(matrices: Array) -> Array:
    """Return the nearest positive semidefinite matrices."""
    symmetric = 0.5 * (matrices + matrices.swapaxes(-1, -2))
    values, vectors = np.linalg.eigh(symmetric)
    nearest: Array = (vectors * np.maximum(values, 0.0)[:, None, :]) @ vectors.swapaxes(-1, -2)
    return nearest
