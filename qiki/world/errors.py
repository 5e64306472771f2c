"""Errors of the simulator.

    QikiError
    └── SimulatorError
        ├── OrderError      an order or a command that will not act, with the reason
        ├── NoFrameError    there is no radar frame to give
        └── NoSensorError   the vehicle carries no such sensor

All of them are answers to whoever asked; none ends the process.
"""

from qiki.errors import QikiError


class SimulatorError(QikiError):
    """Root of what the simulator raises on purpose."""


class OrderError(SimulatorError):
    """What was asked for will not be done: its text says why."""


class NoFrameError(SimulatorError):
    """The radar has no frame to give: its text says why."""


class NoSensorError(SimulatorError):
    """The vehicle carries no such sensor."""
