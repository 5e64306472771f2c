"""Docking plane: two ports that latch at once. The dock moves with the vehicle, which may not thrust while held."""

from enum import StrEnum

from qiki.botspec.planes.docking import DockingParameters, Port


class LatchState(StrEnum):
    """What the latch says."""

    UNDOCKED = "undocked"
    DOCKED = "docked"


class Docking:
    """The latch, and the switch of the power bridge, which only a closed latch connects."""

    def __init__(self, parameters: DockingParameters) -> None:
        self.port = parameters.docked_at
        self._bridge_on = self.port is not None

    @property
    def state(self) -> LatchState:
        """Held or free."""
        return LatchState.UNDOCKED if self.port is None else LatchState.DOCKED

    @property
    def power_connected(self) -> bool:
        """Whether the dock's supply is on the bus."""
        return self.port is not None and self._bridge_on

    def engage(self, port: Port) -> None:
        """Latch at a port."""
        self.port = port

    def release(self) -> None:
        """Open the latch; that opens the power bridge too."""
        self.port = None
        self._bridge_on = False

    def switch_power(self, *, on: bool) -> None:
        """Set the bridge's switch."""
        self._bridge_on = on
