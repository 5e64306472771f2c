"""Hull."""

from qiki.botspec.planes.plane import NonNegative, PlaneParameters, Positive


class HullParameters(PlaneParameters):
    """Size and strength of the hull."""

    radius_m: Positive = 1.0
    """Contacts that pass nearer than this strike the hull."""
    damage_pct_per_kj: NonNegative = 1.0
