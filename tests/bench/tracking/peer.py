"""Stone Soup on our detections: an extended Kalman filter with global nearest neighbour or JPDA.

The same measurement model as ours: elevation, bearing, range and range rate with the standard deviations that each
plot's SNR means; nearly constant velocity; tracks are let out when they have enough plots and dropped after misses.
"""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain

import numpy as np
from stonesoup.base import Property
from stonesoup.dataassociator.neighbour import GNNWith2DAssignment
from stonesoup.dataassociator.probability import JPDAwithEHM2
from stonesoup.deleter.time import UpdateTimeStepsDeleter
from stonesoup.hypothesiser import Hypothesiser
from stonesoup.hypothesiser.distance import DistanceHypothesiser
from stonesoup.hypothesiser.probability import PDAHypothesiser
from stonesoup.initiator.simple import MultiMeasurementInitiator
from stonesoup.measures import Mahalanobis
from stonesoup.models.measurement.nonlinear import CartesianToElevationBearingRangeRate
from stonesoup.models.transition.linear import CombinedLinearGaussianTransitionModel, ConstantVelocity
from stonesoup.predictor.kalman import ExtendedKalmanPredictor
from stonesoup.tracker.simple import MultiTargetMixtureTracker, MultiTargetTracker
from stonesoup.types.angle import Bearing, Elevation
from stonesoup.types.array import StateVector
from stonesoup.types.detection import Detection
from stonesoup.types.state import GaussianState
from stonesoup.updater.kalman import ExtendedKalmanUpdater

from qiki.tracking import Scan, TrackerParameters
from qiki.tracking.measurement import measured
from qiki.tracking.scan import EPOCH
from qiki_harness.scoring import Tracks

POSITION, VELOCITY = (0, 2, 4), (1, 3, 5)


@dataclass(frozen=True)
class PeerParameters:
    """What is tuned.

    Attributes:
        psd: power spectral density of the acceleration [m²/s³]
        sigma_speed_mps: of each component of an unknown velocity
        least_plots: after which a track is let out
        most_misses: in a row, after which it is dropped
        survival: of a contact from scan to scan, as the LMB filter takes it
        by: "distance" (Mahalanobis) or "probability" (of association), what nearest means to GNN
    """

    psd: float = 1.0
    sigma_speed_mps: float = 30.0
    least_plots: int = 2
    most_misses: int = 4
    survival: float = 0.999
    by: str = "distance"


class Nearby(Hypothesiser):
    """Shows the hypothesiser only the plots that can be within its gate: the same result, many times faster."""

    inner: Hypothesiser = Property()
    predictor: ExtendedKalmanPredictor = Property()
    gate_threshold: float = Property()

    def hypothesise(self, track, detections, timestamp, **kwargs):
        """Hypotheses of one track."""
        state = self.predictor.predict(track, timestamp=timestamp)
        covariance = np.asarray(state.covar, dtype=float)[np.ix_(POSITION, POSITION)]
        widest = float(np.linalg.eigvalsh(covariance)[-1])
        at = np.asarray(state.state_vector, dtype=float).ravel()[list(POSITION)]
        plots = list(detections)
        if plots:
            apart = np.array([plot.metadata["position"] for plot in plots]) - at
            spread = np.array([plot.metadata["variance"] for plot in plots])
            # The angles' gate is curved: half as much again is room enough.
            near = (apart**2).sum(1) <= 2.25 * self.gate_threshold * (widest + spread)
            plots = [plots[row] for row in np.flatnonzero(near)]
        return self.inner.hypothesise(track, set(plots), timestamp, **kwargs)


class Peer:
    """One run of Stone Soup.

    Args:
        associator: "gnn" or "jpda"
        given: of the radar: detection probability, gate, noise, volume
        false_alarms: mean number a scan
        tuned: see there
        helped: whether far plots are kept from its hypothesisers
        one_noise: whether all plots of a scan are given their median noise, so that Stone Soup predicts once a track
    """

    def __init__(
        self,
        associator: str,
        given: TrackerParameters,
        false_alarms: float,
        tuned: PeerParameters,
        *,
        helped: bool = True,
        one_noise: bool = False,
    ) -> None:
        self._one_noise = one_noise
        self._associator, self._given, self._tuned, self._helped = associator, given, tuned, helped
        self._density = float(np.exp(given.log_clutter_density(false_alarms)))

    def run(self, scans: Iterable[Scan]) -> Iterator[tuple[Tracks, float]]:
        """Confirmed tracks after each scan, and what the core took [s]; detections are made outside of the time."""
        detections = [(_moment(scan), _detections(scan, self._given, self._one_noise)) for scan in scans]
        tracker = iter(self._tracker(detections[0][0], detections))
        for _ in detections:
            begin = time.process_time()
            _, tracks = next(tracker)
            took = time.process_time() - begin
            yield _confirmed(tracks), took

    def follow(self, scans: Iterator[Scan]) -> Iterator[Tracks]:
        """Confirmed tracks after each scan, as it comes."""
        first = next(scans)
        detections = (
            (_moment(scan), _detections(scan, self._given, self._one_noise)) for scan in chain([first], scans)
        )
        for _, tracks in self._tracker(_moment(first), detections):
            yield _confirmed(tracks)

    def _tracker(self, begin: datetime, detections: Iterable) -> Iterable:
        given, tuned = self._given, self._tuned
        predictor = ExtendedKalmanPredictor(
            CombinedLinearGaussianTransitionModel([ConstantVelocity(tuned.psd) for _ in range(3)])
        )
        updater = ExtendedKalmanUpdater(None)
        by_distance = DistanceHypothesiser(
            predictor, updater, Mahalanobis(), missed_distance=float(np.sqrt(given.gate_threshold))
        )
        by_probability = PDAHypothesiser(
            predictor,
            updater,
            clutter_spatial_density=self._density,
            prob_detect=given.detection_probability,
            prob_gate=given.gate_probability,
        )
        if self._helped:
            by_distance = Nearby(by_distance, predictor, given.gate_threshold)
            by_probability = Nearby(by_probability, predictor, given.gate_threshold)
        deleter = UpdateTimeStepsDeleter(tuned.most_misses)
        nearest = GNNWith2DAssignment(by_distance if tuned.by == "distance" else by_probability)
        prior = GaussianState(np.zeros((6, 1)), np.diag([0, tuned.sigma_speed_mps**2] * 3), timestamp=begin)
        initiator = MultiMeasurementInitiator(
            prior, deleter, nearest, ExtendedKalmanUpdater(None), min_points=tuned.least_plots
        )
        if self._associator == "gnn":
            return MultiTargetTracker(initiator, deleter, detections, nearest, updater)
        return MultiTargetMixtureTracker(initiator, deleter, detections, JPDAwithEHM2(by_probability), updater)


def _moment(scan: Scan):
    return (EPOCH + timedelta(microseconds=scan.t_us)).replace(tzinfo=None)


def _detections(scan: Scan, given: TrackerParameters, one_noise: bool) -> set[Detection]:
    plots = measured(scan.range_m, scan.line_of_sight, scan.doppler_mps, scan.snr_db, given)
    bearing = np.arctan2(scan.line_of_sight[:, 1], scan.line_of_sight[:, 0])
    elevation = np.arcsin(np.clip(scan.line_of_sight[:, 2], -1, 1))
    position = scan.own_position + scan.range_m[:, None] * scan.line_of_sight
    reach = np.maximum(plots.sigma_range_m, plots.sigma_angle_rad * scan.range_m) ** 2
    # An angle across the line of sight is a greater one in bearing.
    sideways = plots.sigma_angle_rad / np.maximum(np.cos(elevation), 0.05)
    variances = np.stack((plots.sigma_angle_rad, sideways, plots.sigma_range_m, plots.sigma_doppler_mps), 1) ** 2
    if one_noise:
        models = [_model(scan, np.median(variances, axis=0))] * scan.size
    else:
        models = [_model(scan, variance) for variance in variances]
    return {
        Detection(
            StateVector(
                [[Elevation(elevation[row])], [Bearing(bearing[row])], [scan.range_m[row]], [scan.doppler_mps[row]]]
            ),
            timestamp=_moment(scan),
            metadata={"position": position[row], "variance": reach[row]},
            measurement_model=models[row],
        )
        for row in range(scan.size)
    }


def _model(scan: Scan, variance: np.ndarray) -> CartesianToElevationBearingRangeRate:
    return CartesianToElevationBearingRangeRate(
        ndim_state=6,
        mapping=POSITION,
        velocity_mapping=VELOCITY,
        noise_covar=np.diag(variance),
        translation_offset=StateVector(scan.own_position),
        velocity=StateVector(scan.own_velocity),
    )


def _confirmed(tracks: Iterable) -> Tracks:
    states = [(track.id, track.state) for track in tracks]
    mean = np.array([np.asarray(state.mean, dtype=float).ravel() for _, state in states]).reshape(-1, 6)
    covariance = np.array([np.asarray(state.covar, dtype=float) for _, state in states]).reshape(-1, 6, 6)
    return Tracks(
        [name for name, _ in states],
        mean[:, POSITION],
        mean[:, VELOCITY],
        covariance[:, np.ix_(POSITION, POSITION)[0], np.ix_(POSITION, POSITION)[1]],
        covariance[:, np.ix_(VELOCITY, VELOCITY)[0], np.ix_(VELOCITY, VELOCITY)[1]],
        np.ones(len(states)),
    )
