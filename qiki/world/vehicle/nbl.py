"""The NBL, an auxiliary load that is switched and limited by command."""

from dataclasses import dataclass


@dataclass
class Nbl:
    """What the load was told; whether it gets its power is the power plane's matter."""

    max_power_w: float
    on: bool = False

    @property
    def wanted_w(self) -> float:
        """Power asked for."""
        return self.max_power_w if self.on else 0.0
