"""The radar: one look at all contacts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic_core import to_json

from qiki.arrays import Array, Mask
from qiki.contracts.enums import RadarRangeBand, TransponderMode
from qiki.contracts.radar import MAX_DETECTIONS, RadarDetection
from qiki.radar import detection, equation
from qiki.radar.accuracy import Accuracy
from qiki.radar.parameters import RadarParameters
from qiki.radar.plots import FalseAlarms, Plots, decoded, leaders, merge
from qiki.state import State, Stateful

SR_THRESHOLD_M = 5000.0
FULL_CIRCLE_DEG = 360.0
ON, OFF = int(TransponderMode.ON), int(TransponderMode.OFF)
SHORT, LONG = int(RadarRangeBand.RR_SR), int(RadarRangeBand.RR_LR)
MEASURED = {"range_m": 3, "bearing_deg": 5, "elev_deg": 5, "vr_mps": 4, "snr_db": 2, "rcs_dbsm": 2}
"""Measured columns of a plot, and the decimals with which each is published: far finer than its errors."""
TYPES: Mapping[str, type] = {
    **dict.fromkeys(("transponder_on", "id_present"), np.bool_),
    **dict.fromkeys(("transponder_mode", "range_band"), np.int64),
    "transponder_id": np.object_,
}
"""Columns of a plot that are no numbers with a fraction."""
GRAINS = 10.0 ** np.array(list(MEASURED.values()))[:, np.newaxis]


@dataclass(frozen=True)
class Detections:
    """Published plots by range, each array (n,)."""

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
            transponder_mode=np.where(replies, ON, OFF),
            transponder_id=claims,
            range_band=np.where(short, SHORT, LONG),
            id_present=replies,
        )

    @classmethod
    def of_rows(cls, rows: Sequence[Mapping[str, Any]]) -> Self:
        """Return the plots that `rows` gave."""
        names = cls.__dataclass_fields__
        return cls(**{name: np.array([row[name] for row in rows], TYPES.get(name, float)) for name in names})

    def __len__(self) -> int:
        return len(self.range_m)

    def rows(self) -> list[dict[str, Any]]:
        """Return a dictionary of plain Python values for each plot, keys in the contract's order."""
        names = list(self.__dataclass_fields__)
        columns = [getattr(self, name).tolist() for name in names]
        return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]

    def to_json(self) -> list[tuple[int, bytes]]:
        """Return range band and JSON of each plot; the values are the contract's, so no model checks them."""
        return [(row["range_band"], to_json(row)) for row in self.rows()]

    def to_models(self) -> tuple[RadarDetection, ...]:
        """Return the contract's detections."""
        return tuple(RadarDetection(**row) for row in self.rows())


class Targets(Protocol):
    """The contacts of a world, n of them, in world axes.

    Attributes:
        rcs_m2: (n,) mean radar cross-section [m²]
        swerling: (n,) Swerling model; negative for the radar's own
    """

    rcs_m2: Array
    swerling: NDArray[np.int64]

    @property
    def present(self) -> Mask:
        """Those that are there, (n,)."""

    @property
    def positions(self) -> Array:
        """Positions, (n, 3) [m]."""

    @property
    def velocities(self) -> Array:
        """Velocities, (n, 3) [m/s]."""

    @property
    def claimed_ids(self) -> NDArray[np.object_]:
        """Identity that the transponder's reply claims, (n,), None without a reply."""


class Radar(Stateful):
    """Measures contacts, one look at a time.

    The radar equation gives each contact's mean SNR, illuminated by the transmit pattern (`equation`). Amplitudes are
    drawn by Swerling case (`detection`). Echoes in one resolution cell add; in noise above the threshold they are
    plots. False alarms are added, and replies arrive by a link of their own (`plots`). Errors are drawn from the
    measured SNR (`accuracy`). Sources: Richards, Fundamentals of Radar Signal Processing, 2nd ed., and those named in
    the modules.

    `rng` is a generator of its own. Replies are read up to the measured range `sr_threshold_m`.
    """

    STATE = State(_rng=np.random.Generator)

    def __init__(
        self, parameters: RadarParameters, rng: np.random.Generator, sr_threshold_m: float = SR_THRESHOLD_M
    ) -> None:
        self._parameters = parameters
        self._rng = rng
        self._sr_threshold_m = sr_threshold_m
        self._min_range_m, self._max_range_m = parameters.min_range_m, parameters.max_range_m
        self._swerling = int(parameters.swerling)
        self._reach_m2 = equation.reach_m2(parameters)
        self._threshold = detection.threshold(parameters.false_alarm_probability)
        self._false_alarms = FalseAlarms(parameters)
        self._accuracy = Accuracy(parameters)

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
        plots = self._false_alarms.added(echoed, self._rng)
        return self._published(self._accuracy.with_errors(plots, self._rng), heading_deg)

    def _illuminated(
        self, contacts: Targets, own_position: Array, own_velocity: Array, heading_deg: float
    ) -> tuple[Plots, detection.Models]:
        """Return echoes from the instrumented range, with mean SNR and without errors, and how each fluctuates."""
        relative = contacts.positions - own_position
        range_m = np.sqrt(np.vecdot(relative, relative))
        within = contacts.present & (range_m >= self._min_range_m) & (range_m <= self._max_range_m)
        (seen,) = within.nonzero()
        range_m = range_m.take(seen)
        sight = relative.take(seen, axis=0) / range_m[:, np.newaxis]
        vr_mps = np.vecdot(sight, contacts.velocities.take(seen, axis=0) - own_velocity)
        lit = equation.illumination(self._parameters.transmit_pattern, sight, heading_deg)
        mean_snr = equation.snr(self._reach_m2, contacts.rcs_m2.take(seen), range_m) * lit
        models = contacts.swerling.take(seen)
        models[models < 0] = self._swerling
        return Plots(range_m, sight, vr_mps, mean_snr, contacts.claimed_ids.take(seen)), models

    def _detected(self, within: Plots, models: detection.Models) -> Plots:
        """Return the echoes above the threshold with their measured SNR: power minus the mean noise power."""
        amplitude = detection.amplitudes(within.snr, models, self._rng)
        leader = leaders(self._parameters, within.range_m, within.sight, within.vr_mps, within.snr)
        resolved, amplitude = merge(within, amplitude, leader)
        power = np.abs(amplitude + detection.noise(amplitude.shape, self._rng)) ** 2
        measured = Plots(resolved.range_m, resolved.sight, resolved.vr_mps, power - 1.0, resolved.claims)
        (hits,) = (power > self._threshold).nonzero()
        return measured if len(hits) == len(power) else measured.take(hits)

    def _published(self, plots: Plots, heading_deg: float) -> Detections:
        """Round the plots and sort them by range, which hides their origin; at most a frame's number, the strongest."""
        if len(plots) > MAX_DETECTIONS:
            plots = plots.take(np.argsort(-plots.snr, kind="stable")[:MAX_DETECTIONS])
        plots = plots.take(np.lexsort((-plots.snr, plots.range_m)))
        x, y, z = plots.sight.T
        snr = plots.snr / equation.illumination(self._parameters.transmit_pattern, plots.sight, heading_deg)
        columns = np.empty((len(MEASURED), len(plots)))
        columns[0] = plots.range_m
        columns[1] = np.degrees(np.arctan2(x, y)) % FULL_CIRCLE_DEG
        columns[2] = np.degrees(np.arctan2(z, np.hypot(x, y)))
        columns[3] = plots.vr_mps
        columns[4] = plots.snr
        columns[5] = equation.rcs_m2(self._reach_m2, snr, np.maximum(plots.range_m, self._min_range_m))
        columns[4:] = equation.to_db(columns[4:])
        measured = dict(zip(MEASURED, np.rint(columns * GRAINS) / GRAINS, strict=True))
        bearing_deg = measured["bearing_deg"]
        bearing_deg[bearing_deg >= FULL_CIRCLE_DEG] = 0.0
        return Detections.build(measured=measured, claims=plots.claims, sr_threshold_m=self._sr_threshold_m)
