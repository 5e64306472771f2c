"""Docking plane."""

from enum import StrEnum

from qiki.botspec.planes.plane import PlaneParameters


class Port(StrEnum):
    """Docking ports."""

    A = "A"
    B = "B"


class DockingParameters(PlaneParameters):
    """Port at which the vehicle is docked at the start."""

    docked_at: Port | None = None
