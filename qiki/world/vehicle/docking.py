"""Docking plane: two ports that latch without delay. The dock moves with the vehicle, which must not thrust."""

from enum import StrEnum

from qiki.botspec.planes.docking import DockingParameters, Port


class LatchState(StrEnum):
    """State of the latch."""

    UNDOCKED = "undocked"
    DOCKED = "docked"


class Docking:
    """The latch, and the switch of the power bridge, which needs a closed latch."""

    def __init__(self, parameters: DockingParameters) -> None:
        self.port = parameters.docked_at
        self._bridge_on = self.port is not None

    @property
    def state(self) -> LatchState:
        """State of the latch."""
        return LatchState.UNDOCKED if self.port is None else LatchState.DOCKED

    @property
    def power_connected(self) -> bool:
        """True if the dock supplies the bus."""
        return self.port is not None and self._bridge_on

    def engage(self, port: Port) -> None:
        """Latch at a port."""
        self.port = port

    def release(self) -> None:
        """Open the latch and the power bridge."""
        self.port = None
        self._bridge_on = False

    def switch_power(self, *, on: bool) -> None:
        """Set the switch of the power bridge."""
        self._bridge_on = on
