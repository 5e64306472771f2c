"""Battery and supercapacitor: energy with limits of power."""

from qiki.botspec.planes.power import StorageParameters

SECONDS_PER_HOUR = 3600.0


class Storage:
    """A store of energy without losses."""

    def __init__(self, parameters: StorageParameters) -> None:
        self._parameters = parameters
        self._capacity_j = parameters.capacity_wh * SECONDS_PER_HOUR
        self._energy_j = self._capacity_j * parameters.start_pct / 100.0
        self.power_w = 0.0
        """Flow of the last step: positive out, negative in."""

    @property
    def soc_pct(self) -> float:
        """State of charge [%]."""
        return 100.0 * self._energy_j / self._capacity_j

    def deliverable_w(self, dt_s: float) -> float:
        """Return the maximum power out during `dt_s` [W]."""
        return min(self._parameters.discharge_limit_w, self._energy_j / dt_s)

    def acceptable_w(self, dt_s: float) -> float:
        """Return the maximum power in during `dt_s` [W]."""
        return min(self._parameters.charge_limit_w, (self._capacity_j - self._energy_j) / dt_s)

    def move(self, power_w: float, dt_s: float) -> None:
        """Give `power_w` for `dt_s`, or take it when negative; the caller observes the limits."""
        self.power_w = power_w
        self._energy_j = min(max(self._energy_j - power_w * dt_s, 0.0), self._capacity_j)
