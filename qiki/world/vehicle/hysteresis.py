"""A switch with two thresholds."""

from qiki.state import State, Stateful


class Hysteresis(Stateful):
    """A switch that is on at or above `high`, off at or below `low`, and unchanged in between."""

    STATE = State(on=bool)

    def __init__(self, low: float, high: float, *, on: bool = False) -> None:
        self._low = low
        self._high = high
        self.on = on

    def at(self, value: float) -> bool:
        """Return whether the switch would be on at this value, without changing it."""
        return value >= self._high or (self.on and value > self._low)

    def update(self, value: float) -> bool:
        """Set the switch by a new value, and return whether it is on."""
        self.on = on = value >= self._high or (self.on and value > self._low)
        return on
