"""A switch with two thresholds."""


class Hysteresis:
    """On at or above `high`, off at or below `low`, unchanged in between."""

    def __init__(self, low: float, high: float, *, on: bool = False) -> None:
        self._low = low
        self._high = high
        self.on = on

    def at(self, value: float) -> bool:
        """Whether the switch would be on with this value; changes nothing."""
        return value >= self._high or (self.on and value > self._low)

    def update(self, value: float) -> bool:
        """Take a new value; tells whether the switch is on."""
        self.on = self.at(value)
        return self.on
