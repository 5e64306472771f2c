"""Docking plane."""

from enum import StrEnum

from qiki.botspec.planes.plane import PlaneParameters


class Port(StrEnum):
    """Docking ports."""

    A = "A"
    B = "B"


class DockingParameters(PlaneParameters):
    """How the vehicle starts."""

    docked_at: Port | None = None
