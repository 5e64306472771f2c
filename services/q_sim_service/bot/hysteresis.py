"""A switch with two thresholds."""


class Hysteresis:
    """On at or above `high`, off at or below `low`, unchanged in between."""

    def __init__(self, low: float, high: float, *, on: bool = False) -> None:
        self._low = low
        self._high = high
        self.on = on

    def update(self, value: float) -> bool:
        """Take a new value; tells whether the switch is on."""
        if value >= self._high:
            self.on = True
        elif value <= self._low:
            self.on = False
        return self.on
