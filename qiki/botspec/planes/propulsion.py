"""Propulsion plane: thrusters, propellant and mass."""

from qiki.botspec.planes.plane import NonNegative, PlaneParameters, Positive


class PropulsionParameters(PlaneParameters):
    """Identical cold-gas thrusters, one for each direction of the body."""

    dry_mass_kg: Positive = 50.0
    propellant_kg: NonNegative = 12.0
    specific_impulse_s: Positive = 60.0
    thrust_n: Positive = 20.0
    """One thruster at 100 %."""
