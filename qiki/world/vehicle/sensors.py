"""Noise that is fixed for a tick, and failures of the sensors; what they read is in `qiki.world.sensors`."""

import math

import numpy as np

from qiki.botspec.planes import SensorKind, SensorParameters
from qiki.world.vehicle.axes import Vector3


class Sensors:
    """Health of the sensors and this tick's noise."""

    def __init__(self, parameters: SensorParameters, rng: np.random.Generator) -> None:
        self.parameters = parameters
        self._rng = rng
        self._hazards_hz = [
            1.0 / parameters.mean_time_between_failures_s.get(kind, math.inf) for kind in parameters.fitted
        ]
        self._down_s: dict[SensorKind, float] = {}
        self._noise = dict.fromkeys(parameters.fitted, (0.0, 0.0, 0.0))

    def works(self, kind: SensorKind) -> bool:
        """Return True for a sensor that is fitted and has not failed."""
        return kind in self._noise and kind not in self._down_s

    def step(self, dt_s: float) -> list[SensorKind]:
        """Draw this tick's noise and failures, and return the sensors whose health changed."""
        draws = self._rng.random(len(self._hazards_hz)).tolist()
        noise = self._rng.standard_normal((len(self._hazards_hz), 3)).tolist()
        changed = self._repair(dt_s)
        for kind, hazard_hz, draw, (x, y, z) in zip(
            self.parameters.fitted, self._hazards_hz, draws, noise, strict=True
        ):
            self._noise[kind] = (x, y, z)
            if draw < -math.expm1(-hazard_hz * dt_s) and kind not in self._down_s:
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
        x, y, z = self._noise[kind]
        return value[0] + sigma * x, value[1] + sigma * y, value[2] + sigma * z
