"""Supply through the docking port: a bridge with a soft start, limited in power and current."""

from qiki.botspec.planes.power import DockSupplyParameters


class DockSupply:
    """Power offered by the dock; the ramp starts again after each interruption."""

    def __init__(self, parameters: DockSupplyParameters) -> None:
        self._parameters = parameters
        self._limit_w = min(parameters.power_limit_w, parameters.voltage_v * parameters.current_limit_a)
        self._ramp = 0.0

    def offer_w(self, dt_s: float, *, connected: bool) -> float:
        """Advance the ramp and return the power offered in this step [W]."""
        self._ramp = min(1.0, self._ramp + dt_s / self._parameters.soft_start_s) if connected else 0.0
        return self._ramp * self._limit_w

    def current_a(self, power_w: float) -> float:
        """Return the current through the bridge [A]."""
        return power_w / self._parameters.voltage_v
