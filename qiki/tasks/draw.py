"""Drawing worlds: random numbers of a seed, and contacts as a scenario has them."""

import math
from collections.abc import Sequence
from typing import Any
from zlib import crc32

import numpy as np

from qiki.arrays import Array
from qiki.errors import UserError
from qiki.world.scenario import Scenario

MILLIMETRES = 3


class Draw:
    """Random numbers for the worlds of one task; the same seed gives the same world in every version of the task."""

    def __init__(self, task: str, seed: int, difficulty: float) -> None:
        if not 0.0 <= difficulty <= 1.0:
            raise UserError(f"difficulty is {difficulty:g} (expected 0 to 1)")
        self._rng = np.random.Generator(np.random.PCG64([seed, crc32(task.encode())]))

    def uniform(self, low: float, high: float) -> float:
        """Return a number between two."""
        return float(self._rng.uniform(low, high))

    def choose(self, values: Sequence[str]) -> str:
        """Return one of these."""
        return values[int(self._rng.integers(len(values)))]

    def normal(self, sigma: float) -> Array:
        """Return a vector of normal numbers, (3,)."""
        return self._rng.normal(0.0, sigma, 3)

    def direction(self, elevation_deg: float) -> Array:
        """Return a unit vector, (3,), within this elevation above and below the plane."""
        bearing, elevation = self.uniform(0.0, 2 * math.pi), math.radians(self.uniform(-elevation_deg, elevation_deg))
        ground = math.cos(elevation)
        return np.array([ground * math.sin(bearing), ground * math.cos(bearing), math.sin(elevation)])


def contact(name: str, object_type: str, position: Array, velocity: Array, **more: Any) -> dict[str, Any]:
    """Return a contact on a straight course, as a scenario file has it."""
    motion = {"kind": "constant_velocity", "position_m": vector(position), "velocity_mps": vector(velocity)}
    return {"id": name, "object_type": object_type, "motion": motion, **more}


def vector(values: Array) -> list[float]:
    """Return a vector as a scenario file has it."""
    return [round(value, MILLIMETRES) for value in values.tolist()]


def scenario(task: str, seed: int, description: str, start: Array, heading_deg: float, **more: Any) -> Scenario:
    """Return a world of these contacts in which the vehicle rests at its start."""
    bot = {"position_m": vector(start), "heading_deg": round(heading_deg, 1) % 360.0}
    content = {"name": f"{task}-{seed}", "description": description, "seed": seed, "bot": bot, **more}
    return Scenario.model_validate(content)
