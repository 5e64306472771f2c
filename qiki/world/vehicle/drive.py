"""Cruise drive: brings the velocity to a commanded speed along the heading, and turns the heading.

The two motors act as one: a command to either sets the drive. While the drive is engaged, the velocity approaches the
commanded speed along the heading with at most `acceleration_mps2`; 0 % brings the vehicle to rest in the world. Before
the first command, and after a thruster has fired, the vehicle coasts.
"""

import math

from qiki.botspec.planes.drive import DriveParameters
from qiki.world.vehicle.axes import Vector3, to_world


class Drive:
    """Speed and heading control."""

    def __init__(self, parameters: DriveParameters, heading_deg: float) -> None:
        self._parameters = parameters
        self._speed_mps: float | None = None
        self._turn_left_deg = 0.0
        self.heading_deg = heading_deg % 360.0

    @property
    def speed_mps(self) -> float:
        """Commanded speed; 0 while the drive is disengaged."""
        return self._speed_mps or 0.0

    def cruise(self, fraction: float) -> None:
        """Engage at a fraction of the maximum speed."""
        self._speed_mps = fraction * self._parameters.max_speed_mps

    def turn(self, degrees: float) -> None:
        """Add a turn to those in progress, clockwise when positive."""
        self._turn_left_deg += degrees

    def release(self) -> None:
        """Disengage: the vehicle coasts."""
        self._speed_mps = None

    def stop(self) -> None:
        """Disengage and end all turns."""
        self.release()
        self._turn_left_deg = 0.0

    def step(self, dt_s: float, velocity_mps: Vector3, power_share: float) -> Vector3:
        """Turn and accelerate for `dt_s`. Without power the drive is released.

        Args:
            dt_s: length of the step
            velocity_mps: at its begin, world axes
            power_share: power granted over power wanted

        Returns:
            Change of velocity, world axes [m/s].
        """
        limit_deg = self._parameters.turn_rate_dps * dt_s
        turned_deg = min(max(self._turn_left_deg, -limit_deg), limit_deg)
        self._turn_left_deg -= turned_deg
        self.heading_deg = (self.heading_deg + turned_deg) % 360.0
        if self._speed_mps is None:
            return 0.0, 0.0, 0.0
        if power_share <= 0:
            self.release()
            return 0.0, 0.0, 0.0
        target = to_world((self._speed_mps * power_share, 0.0, 0.0), self.heading_deg)
        return _limited(target, velocity_mps, self._parameters.acceleration_mps2 * dt_s)


def _limited(target: Vector3, velocity: Vector3, limit: float) -> Vector3:
    dx, dy, dz = target[0] - velocity[0], target[1] - velocity[1], target[2] - velocity[2]
    size = math.sqrt(dx * dx + dy * dy + dz * dz)
    scale = 1.0 if size <= limit else limit / size
    return dx * scale, dy * scale, dz * scale
