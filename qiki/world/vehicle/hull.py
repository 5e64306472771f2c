"""Hull: integrity, reduced by collisions."""

import numpy as np

from qiki.arrays import Array, Mask
from qiki.botspec.planes.hull import HullParameters


class Hull:
    """Integrity in percent."""

    def __init__(self, parameters: HullParameters) -> None:
        self._parameters = parameters
        self.integrity_pct = 100.0

    def meet(self, before: Array, after: Array, mass_kg: float, dt_s: float) -> int:
        """Damage the hull by the contacts that entered its radius during a step.

        A contact strikes once, when it enters. The energy is that of the vehicle's mass at the relative speed. The
        contacts fly on.

        Args:
            before: (n, 3) [m] relative positions at the step's begin
            after: (n, 3) [m] the same contacts at its end
            mass_kg: mass of the vehicle
            dt_s: length of the step

        Returns:
            Number of collisions.
        """
        struck = _enters(before, after, self._parameters.radius_m)
        if struck.any():
            speed_mps = np.linalg.norm((after - before)[struck], axis=1) / dt_s
            energy_kj = 0.5 * mass_kg * float(speed_mps @ speed_mps) / 1000.0
            self.integrity_pct = max(0.0, self.integrity_pct - self._parameters.damage_pct_per_kj * energy_kj)
        return int(struck.sum())


def _enters(before: Array, after: Array, radius: float) -> Mask:
    """Return which straight paths begin outside the sphere and touch it: (n,)."""
    path = after - before
    length2 = np.einsum("ij,ij->i", path, path)
    along = -np.einsum("ij,ij->i", before, path) / np.where(length2 > 0, length2, 1.0)
    nearest = before + np.clip(along, 0.0, 1.0)[:, None] * path
    outside = np.einsum("ij,ij->i", before, before) > radius**2
    touched: Mask = outside & (np.einsum("ij,ij->i", nearest, nearest) <= radius**2)
    return touched
