"""Communication plane: the vehicle's own transponder."""

from qiki.botspec.planes.comms import CommsParameters
from qiki.contracts.enums import TransponderMode


class Transponder:
    """Replies in the commanded mode while it has power."""

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
