"""The radar: one look at all contacts."""

from dataclasses import dataclass, replace
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qiki.arrays import Array, Mask
from qiki.contracts.enums import RadarRangeBand, TransponderMode
from qiki.contracts.radar import MAX_DETECTIONS, RadarDetection
from qiki.geometry import spherical
from qiki.radar import accuracy, detection, equation
from qiki.radar.parameters import RadarParameters
from qiki.radar.plots import Plots, decoded, false_alarms, leaders, merge

SR_THRESHOLD_M = 5000.0
FULL_CIRCLE_DEG = 360.0


@dataclass(frozen=True)
class Detections:
    """Published plots by range, each array (n,). Values are rounded well below their errors."""

    range_m: Array
    bearing_deg: Array
    elev_deg: Array
    vr_mps: Array
    snr_db: Array
    rcs_dbsm: Array
    transponder_on: Mask
    transponder_mode: NDArray[np.int64]
    transponder_id: NDArray[np.object_]  # str, or None
    range_band: NDArray[np.int64]
    id_present: Mask

    @classmethod
    def build(cls, *, measured: dict[str, Array], claims: NDArray[np.object_], sr_threshold_m: float) -> Self:
        """Put detections together; replies from the short-range band are kept.

        `measured` holds the first six columns. `claims` are the claimed identities, (n,), None where there is no reply.
        """
        short = measured["range_m"] <= sr_threshold_m
        claims = claims.copy()
        claims[~short] = None
        replies = claims.astype(bool)
        return cls(
            **measured,
            transponder_on=replies,
            transponder_mode=np.where(replies, int(TransponderMode.ON), int(TransponderMode.OFF)),
            transponder_id=claims,
            range_band=np.where(short, int(RadarRangeBand.RR_SR), int(RadarRangeBand.RR_LR)),
            id_present=replies,
        )

    def __len__(self) -> int:
        return len(self.range_m)

    def rows(self) -> list[dict[str, Any]]:
        """Return a dictionary of plain Python values for each plot, keys in the contract's order."""
        names = list(self.__dataclass_fields__)
        columns = [getattr(self, name).tolist() for name in names]
        return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]

    def to_models(self) -> tuple[RadarDetection, ...]:
        """Return the contract's detections."""
        return tuple(RadarDetection(**row) for row in self.rows())


class Targets(Protocol):
    """The contacts of a world, n of them, in world axes."""

    present: NDArray[Any]  # (n,) bool: those that are there
    positions: Array  # (n, 3) [m]
    velocities: Array  # (n, 3) [m/s]
    rcs_m2: Array  # (n,) mean radar cross-section [m²]
    swerling: NDArray[Any]  # (n,) Swerling model; negative for the radar's own
    claimed_ids: NDArray[Any]  # (n,) identity that the transponder's reply claims, None without a reply


class Radar:
    """Measures contacts, one look at a time.

    The radar equation gives each contact's mean SNR, illuminated by the transmit pattern (`equation`). Amplitudes are
    drawn by Swerling case (`detection`). Echoes in one resolution cell add; in noise above the threshold they are
    plots. False alarms are added, and replies arrive by a link of their own (`plots`). Errors are drawn from the
    measured SNR (`accuracy`). Sources: Richards, Fundamentals of Radar Signal Processing, 2nd ed., and those named in
    the modules.

    `rng` is a generator of its own. Replies are read up to the measured range `sr_threshold_m`.
    """

    def __init__(
        self, parameters: RadarParameters, rng: np.random.Generator, sr_threshold_m: float = SR_THRESHOLD_M
    ) -> None:
        self._parameters = parameters
        self._rng = rng
        self._sr_threshold_m = sr_threshold_m
        self._swerling = int(parameters.swerling)
        self._reach_m2 = equation.reach_m2(parameters)
        self._threshold = detection.threshold(parameters.false_alarm_probability)

    def measure(
        self, contacts: Targets, own_position: ArrayLike, own_velocity: ArrayLike, heading_deg: float = 0.0
    ) -> Detections:
        """Measure the contacts in one look.

        `own_position`, (3,) [m], and `own_velocity`, (3,) [m/s], are in world axes. The pattern turns with the heading.
        """
        within, models = self._illuminated(
            contacts, np.asarray(own_position, float), np.asarray(own_velocity, float), heading_deg
        )
        echoed = decoded(self._parameters, self._detected(within, models), self._rng)
        plots = echoed.joined(false_alarms(self._parameters, self._rng))
        return self._published(accuracy.with_errors(self._parameters, plots, self._rng), heading_deg)

    def _illuminated(
        self, contacts: Targets, own_position: Array, own_velocity: Array, heading_deg: float
    ) -> tuple[Plots, detection.Models]:
        """Return echoes from the instrumented range, with mean SNR and without errors, and how each fluctuates."""
        relative = contacts.positions - own_position
        range_m = np.sqrt(np.einsum("ij,ij->i", relative, relative))
        seen = np.flatnonzero(
            contacts.present & (range_m >= self._parameters.min_range_m) & (range_m <= self._parameters.max_range_m)
        )
        range_m = range_m[seen]
        sight = relative[seen] / range_m[:, np.newaxis]
        vr_mps = np.einsum("ij,ij->i", sight, contacts.velocities[seen] - own_velocity)
        lit = equation.illumination(self._parameters.transmit_pattern, sight, heading_deg)
        mean_snr = equation.snr(self._reach_m2, contacts.rcs_m2[seen], range_m) * lit
        models = contacts.swerling[seen]
        models[models < 0] = self._swerling
        return Plots(range_m, sight, vr_mps, mean_snr, contacts.claimed_ids[seen]), models

    def _detected(self, within: Plots, models: detection.Models) -> Plots:
        """Return the echoes above the threshold with their measured SNR: power minus the mean noise power."""
        amplitude = detection.amplitudes(within.snr, models, self._rng)
        leader = leaders(self._parameters, within.range_m, within.sight, within.vr_mps, within.snr)
        resolved, amplitude = merge(within, amplitude, leader)
        power = np.abs(amplitude + detection.noise(amplitude.shape, self._rng)) ** 2
        hits = np.flatnonzero(power > self._threshold)
        return replace(resolved.take(hits), snr=power[hits] - 1.0)

    def _published(self, plots: Plots, heading_deg: float) -> Detections:
        """Round the plots and sort them by range, which hides their origin; at most a frame's number, the strongest."""
        strongest = np.argsort(-plots.snr, kind="stable")[:MAX_DETECTIONS]
        plots = plots.take(strongest[np.argsort(plots.range_m[strongest], kind="stable")])
        _, bearing_rad, elevation_rad = spherical(plots.sight)
        bearing_deg = np.round(np.degrees(bearing_rad), 5)
        snr = plots.snr / equation.illumination(self._parameters.transmit_pattern, plots.sight, heading_deg)
        rcs_m2 = equation.rcs_m2(self._reach_m2, snr, np.maximum(plots.range_m, self._parameters.min_range_m))
        measured = {
            "range_m": np.round(plots.range_m, 3),
            "bearing_deg": np.where(bearing_deg >= FULL_CIRCLE_DEG, 0.0, bearing_deg),
            "elev_deg": np.round(np.degrees(elevation_rad), 5),
            "vr_mps": np.round(plots.vr_mps, 4),
            "snr_db": np.round(equation.to_db(plots.snr), 2),
            "rcs_dbsm": np.round(equation.to_db(rcs_m2), 2),
        }
        return Detections.build(measured=measured, claims=plots.claims, sr_threshold_m=self._sr_threshold_m)
