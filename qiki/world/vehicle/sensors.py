"""Noise that is fixed for a tick, and failures of the sensors; what they read is in `qiki.world.sensors`."""

import math

import numpy as np

from qiki.arrays import FLOATS
from qiki.botspec.planes import SensorKind, SensorParameters
from qiki.state import State, Stateful
from qiki.world.vehicle.axes import Vector3


class Sensors(Stateful):
    """Health of the sensors and this tick's noise."""

    STATE = State(_rng=np.random.Generator, _down_s=dict[SensorKind, float], _noise=FLOATS)

    def __init__(self, parameters: SensorParameters, rng: np.random.Generator) -> None:
        self.parameters = parameters
        self._rng = rng
        self._hazards_hz = [
            (row, kind, 1.0 / parameters.mean_time_between_failures_s[kind])
            for row, kind in enumerate(parameters.fitted)
            if kind in parameters.mean_time_between_failures_s
        ]
        self._down_s: dict[SensorKind, float] = {}
        self._rows = {kind: row for row, kind in enumerate(parameters.fitted)}
        self._noise = np.zeros((len(self._rows), 3))

    def draw_from(self, rng: np.random.Generator) -> None:
        """Draw from another generator from now on."""
        self._rng = rng

    def works(self, kind: SensorKind) -> bool:
        """Return True for a sensor that is fitted and has not failed."""
        return kind in self._rows and kind not in self._down_s

    def step(self, dt_s: float) -> list[SensorKind]:
        """Draw this tick's noise and failures, and return the sensors whose health changed."""
        draws = self._rng.random(len(self._rows))
        self._noise = self._rng.standard_normal(self._noise.shape)
        changed = self._repair(dt_s) if self._down_s else []
        for row, kind, hazard_hz in self._hazards_hz:
            if draws[row] < -math.expm1(-hazard_hz * dt_s) and kind not in self._down_s:
                self._down_s[kind] = self.parameters.repair_s
                changed.append(kind)
        return changed

    def _repair(self, dt_s: float) -> list[SensorKind]:
        for kind in self._down_s:
            self._down_s[kind] -= dt_s
        repaired = [kind for kind, left_s in self._down_s.items() if left_s <= 0]
        for kind in repaired:
            del self._down_s[kind]
        return repaired

    def blur(self, kind: SensorKind, value: Vector3, sigma: float) -> Vector3:
        """Return a value with this tick's noise of standard deviation `sigma`, axis by axis."""
        x, y, z = self._noise[self._rows[kind]].tolist()
        return value[0] + sigma * x, value[1] + sigma * y, value[2] + sigma * z
