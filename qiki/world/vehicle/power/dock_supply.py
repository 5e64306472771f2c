"""Supply through the docking port: a bridge that ramps up softly and is bound by power and by current."""

from qiki.botspec.planes.power import DockSupplyParameters


class DockSupply:
    """What the dock offers now; the ramp starts over after each interruption."""

    def __init__(self, parameters: DockSupplyParameters) -> None:
        self._parameters = parameters
        self._limit_w = min(parameters.power_limit_w, parameters.voltage_v * parameters.current_limit_a)
        self._ramp = 0.0

    def offer_w(self, dt_s: float, *, connected: bool) -> float:
        """Power on offer in this step [W]."""
        self._ramp = min(1.0, self._ramp + dt_s / self._parameters.soft_start_s) if connected else 0.0
        return self._ramp * self._limit_w

    def current_a(self, power_w: float) -> float:
        """Current through the bridge at `power_w`."""
        return power_w / self._parameters.voltage_v
