"""Communication plane: the vehicle's own transponder."""

from qiki.botspec.planes.comms import CommsParameters
from qiki.contracts.enums import TransponderMode


class Transponder:
    """Answers in the mode that was commanded, as long as it has power."""

    def __init__(self, parameters: CommsParameters) -> None:
        self.commanded = parameters.xpdr_mode
        self.allowed = True

    @property
    def wants_power(self) -> bool:
        """Whether the commanded mode needs the device on."""
        return self.commanded is not TransponderMode.OFF

    @property
    def mode(self) -> TransponderMode:
        """What it really does: shed means off."""
        return self.commanded if self.allowed else TransponderMode.OFF
