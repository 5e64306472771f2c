"""Errors of the simulator.

    QikiError
    └── SimulatorError
        ├── OrderError      an order or a command that is refused
        ├── NoFrameError    there is no radar frame
        └── NoSensorError   the vehicle has no such sensor

Each is the answer to a request; none ends the process.
"""

from qiki.errors import QikiError


class SimulatorError(QikiError):
    """Root of the simulator's errors."""


class OrderError(SimulatorError):
    """An order or a command is refused; the text gives the reason."""


class NoFrameError(SimulatorError):
    """There is no radar frame; the text gives the reason."""


class NoSensorError(SimulatorError):
    """The vehicle has no such sensor."""
