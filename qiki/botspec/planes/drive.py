"""Cruise drive."""

from qiki.botspec.planes.plane import PlaneParameters, Positive


class DriveParameters(PlaneParameters):
    """Limits of the drive."""

    max_speed_mps: Positive = 1.0
    acceleration_mps2: Positive = 0.5
    turn_rate_dps: Positive = 30.0
