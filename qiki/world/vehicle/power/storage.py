"""Battery and supercapacitor: energy with a limit on how fast it comes and goes."""

from qiki.botspec.planes.power import StorageParameters

SECONDS_PER_HOUR = 3600.0


class Storage:
    """A store without losses: what goes in comes out again."""

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
        """The most that it can give through `dt_s`."""
        return min(self._parameters.discharge_limit_w, self._energy_j / dt_s)

    def acceptable_w(self, dt_s: float) -> float:
        """The most that it can take through `dt_s`."""
        return min(self._parameters.charge_limit_w, (self._capacity_j - self._energy_j) / dt_s)

    def move(self, power_w: float, dt_s: float) -> None:
        """Give `power_w` for `dt_s`, or take it when negative. The caller keeps to the limits."""
        self.power_w = power_w
        self._energy_j = min(max(self._energy_j - power_w * dt_s, 0.0), self._capacity_j)
