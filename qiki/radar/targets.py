"""Targets of the radar."""

from typing import Any, Protocol

from numpy.typing import NDArray

from qiki.arrays import Array


class Targets(Protocol):
    """The contacts of a world, n of them, in world axes."""

    @property
    def present(self) -> NDArray[Any]:
        """(n,) bool: those that are there."""

    @property
    def positions(self) -> Array:
        """(n, 3) [m]."""

    @property
    def velocities(self) -> Array:
        """(n, 3) [m/s]."""

    @property
    def rcs_m2(self) -> Array:
        """(n,) mean radar cross-section [m²]."""

    @property
    def swerling(self) -> NDArray[Any]:
        """(n,) Swerling model; negative for the radar's own."""

    @property
    def claimed_ids(self) -> NDArray[Any]:
        """(n,) identity that the transponder's reply claims, None without a reply."""
