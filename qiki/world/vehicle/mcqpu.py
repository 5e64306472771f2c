"""On-board computer: its load follows the vehicle's activity, draws power and heats the core."""

import math

from qiki.botspec.planes.mcqpu import McqpuParameters


class Mcqpu:
    """Load of the computer, with a first-order lag."""

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
