"""The small systems of the vehicle: on-board computer, transponder, docking ports and hull."""

import math

import numpy as np

from qiki.arrays import Array, Mask
from qiki.botspec.planes import CommsParameters, DockingParameters, HullParameters, McqpuParameters, Port
from qiki.contracts.enums import TransponderMode
from qiki.state import State, Stateful


class Mcqpu(Stateful):
    """On-board computer. Its load follows the vehicle's activity with a first-order lag; it draws power and heats."""

    STATE = State(use_pct=float)

    def __init__(self, parameters: McqpuParameters) -> None:
        self._parameters = parameters
        self.use_pct = parameters.idle_pct

    @property
    def power_w(self) -> float:
        """Power drawn [W]."""
        return self._parameters.full_load_w * self.use_pct / 100.0

    def step(self, dt_s: float, *, speed_mps: float, radar: bool, transponder: bool) -> None:
        """Approach the load of the current activity for `dt_s`."""
        constants = self._parameters
        target = constants.idle_pct + constants.motion_pct_per_mps * speed_mps
        target += constants.radar_pct * radar + constants.transponder_pct * transponder
        target = min(target, 100.0)
        self.use_pct = target + (self.use_pct - target) * math.exp(-dt_s / constants.time_constant_s)


class Transponder(Stateful):
    """Replies in the commanded mode while it has power."""

    STATE = State(commanded=TransponderMode, allowed=bool)

    def __init__(self, parameters: CommsParameters) -> None:
        self.commanded = parameters.xpdr_mode
        self.allowed = True

    @property
    def wants_power(self) -> bool:
        """True if the commanded mode needs power."""
        return self.commanded is not TransponderMode.OFF

    @property
    def mode(self) -> TransponderMode:
        """Actual mode: OFF while the load is shed."""
        return self.commanded if self.allowed else TransponderMode.OFF


class Docking(Stateful):
    """Two ports that latch without delay, and the switch of the power bridge, which needs a closed latch.

    The dock moves with the vehicle, which must not thrust.
    """

    STATE = State(port=Port | None, bridge_on=bool)

    def __init__(self, parameters: DockingParameters) -> None:
        self.port = parameters.docked_at
        self.bridge_on = self.port is not None

    @property
    def state(self) -> str:
        """State of the latch."""
        return "undocked" if self.port is None else "docked"

    @property
    def power_connected(self) -> bool:
        """True if the dock supplies the bus."""
        return self.port is not None and self.bridge_on

    def release(self) -> None:
        """Open the latch and the power bridge."""
        self.port = None
        self.bridge_on = False


class Hull(Stateful):
    """Integrity, reduced by collisions."""

    STATE = State(integrity_pct=float)

    def __init__(self, parameters: HullParameters) -> None:
        self._parameters = parameters
        self.integrity_pct = 100.0

    @property
    def radius_m(self) -> float:
        """Distance within which a contact strikes."""
        return self._parameters.radius_m

    def meet(self, before: Array, after: Array, mass_kg: float, dt_s: float) -> int:
        """Damage the hull by the contacts that entered its radius during a step, and return their number.

        A contact strikes once, when it enters, and flies on. The energy is that of the vehicle's mass at the relative
        speed. `before` and `after`, (n, 3) [m], are the contacts' relative positions at the step's begin and end.
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
