"""A labelled multi-Bernoulli filter in the place of the tracker: `qiki score --tracker tests/bench/tracking/lmb.py`.

It takes the package multisensor-lmb-filters-rs, which `tox -e tracking` installs from Python 3.12 on: an LMB filter
with loopy belief propagation (Reuter, Vo, Vo & Dietmayer, IEEE Transactions on Signal Processing 62, 2014). Births are
adaptive as there: at the plots of the scan before that no track explains.

Its sensor is linear, with one noise for all plots of a scan. So it measures position in world axes with the mean
noise of the plots, and no range rate.
"""

from collections.abc import Mapping

import numpy as np
from multisensor_lmb_filters_rs import (
    AssociatorConfig,
    BirthLocation,
    BirthModel,
    FilterLmb,
    FilterThresholds,
    MotionModel,
    SensorModel,
)

from qiki.contracts.enums import FriendFoe
from qiki.tracking import Scan, TrackerParameters
from qiki.tracking.measurement import measured, position_noise
from qiki.tracking.scan import SECOND_US
from qiki_harness.scoring import Tracks
from qiki_harness.scoring.records import NO_TRACKS

PSD, SIGMA_SPEED_MPS, SURVIVAL = 1.0, 30.0, 0.999
BIRTH = 0.05
"""Existence of a new track."""
EXPLAINED = 0.5
"""Probability of belonging to a track from which on a plot starts none."""
ASSOCIATION = AssociatorConfig.lbp(max_iterations=100, tolerance=1e-6)
THRESHOLDS = FilterThresholds(existence=1e-3, gm_weight=1e-3, max_components=10, gm_merge=4.0)
MEASURED = np.eye(3, 6)


class Lmb:
    """A run of the filter.

    Args:
        given: of the radar: detection probability, noise, volume
        psd: power spectral density of the acceleration [m²/s³]
        sigma_speed_mps: of each component of an unknown velocity
        survival: probability that a contact is still there in the next scan
    """

    def __init__(
        self,
        given: TrackerParameters,
        psd: float = PSD,
        sigma_speed_mps: float = SIGMA_SPEED_MPS,
        survival: float = SURVIVAL,
    ) -> None:
        self._given, self._psd, self._variance, self._survival = given, psd, sigma_speed_mps**2, survival
        self._tracks: list = []
        self._births = np.zeros((0, 3))
        self._noise = np.eye(3)
        self._t_us: int | None = None
        self._number = 0

    def step(self, scan: Scan) -> Tracks:
        """Return all tracks after a scan."""
        past_s = 0.0 if self._t_us is None else (scan.t_us - self._t_us) / SECOND_US
        plots = measured(scan.range_m, scan.line_of_sight, scan.doppler_mps, scan.snr_db, self._given)
        noise = position_noise(plots, scan.line_of_sight, scan.range_m).mean(0) if scan.size else self._noise
        position = scan.own_position + scan.range_m[:, None] * scan.line_of_sight
        motion = _motion(past_s, self._psd, self._survival)
        step = FilterLmb(motion, self._sensor(noise), self._born(past_s), ASSOCIATION, THRESHOLDS)
        step.set_tracks(self._tracks)
        found = step.step_detailed(position, self._number)
        explained = np.zeros(scan.size)
        if scan.size and found.association_result is not None and found.predicted_tracks:
            explained = np.asarray(found.association_result.marginal_weights).sum(0)
        self._tracks, self._births, self._noise = step.get_tracks(), position[explained < EXPLAINED], noise
        self._t_us, self._number = scan.t_us, self._number + 1
        return _tracks(self._tracks)

    def _sensor(self, noise: np.ndarray) -> SensorModel:
        given = self._given
        volume = given.solid_angle_sr / 3 * given.max_range_m**3
        return SensorModel(MEASURED, noise, given.detection_probability, given.expected_false_alarms, volume)

    def _born(self, past_s: float) -> BirthModel:
        flown = np.array([[past_s**2, past_s], [past_s, 1.0]])
        covariance = np.kron(flown, self._variance * np.eye(3))
        covariance[:3, :3] += self._noise
        means = np.hstack((self._births, np.zeros_like(self._births)))
        return BirthModel([BirthLocation(row, mean, covariance) for row, mean in enumerate(means)], BIRTH, BIRTH)


def _motion(past_s: float, psd: float, survival: float) -> MotionModel:
    """Return nearly constant velocity."""
    moved = np.kron([[1.0, past_s], [0.0, 1.0]], np.eye(3))
    noise = psd * np.kron([[past_s**3 / 3, past_s**2 / 2], [past_s**2 / 2, past_s]], np.eye(3))
    return MotionModel(moved, noise, np.zeros(6), survival)


def _tracks(found: list) -> Tracks:
    """Return tracks, each with the mean and the covariance of its mixture."""
    if not found:
        return NO_TRACKS
    means, covariances = zip(*(_merged(track) for track in found), strict=True)
    mean, covariance = np.array(means), np.array(covariances)
    return Tracks(
        ["{}-{}".format(*track.label) for track in found],
        mean[:, :3],
        mean[:, 3:],
        covariance[:, :3, :3],
        covariance[:, 3:, 3:],
        np.clip([track.existence for track in found], 0.0, 1.0),
    )


def _merged(track: object) -> tuple[np.ndarray, np.ndarray]:
    weight = np.asarray(track.w) / np.sum(track.w)
    mean = weight @ track.mu
    apart = track.mu - mean
    return mean, np.einsum("k,kij->ij", weight, np.asarray(track.sigma) + apart[:, :, None] * apart[:, None])


def make_tracker(parameters: TrackerParameters, _: Mapping[str, FriendFoe]) -> Lmb:
    """Return the filter."""
    return Lmb(parameters)
