"""Conversion between spherical and Cartesian: +X east, +Y north, +Z up, bearing clockwise from +Y."""

import numpy as np

from qiki.arrays import Array


def spherical(relative: Array) -> tuple[Array, Array, Array]:
    """Return range (n,) [m], bearing (n,) [rad] in [0, 2π) and elevation (n,) [rad] of points (n, 3) [m].

    Both angles are zero at the origin.
    """
    x, y, z = relative[:, 0], relative[:, 1], relative[:, 2]
    ground = np.hypot(x, y)
    bearing = np.arctan2(x, y)
    bearing = np.where(bearing < 0, bearing + 2 * np.pi, bearing)
    bearing = np.where(bearing >= 2 * np.pi, 0.0, bearing)  # of a bearing just below zero
    return np.hypot(ground, z), bearing, np.arctan2(z, ground)


def unit_vectors(bearing_rad: Array, elevation_rad: Array) -> Array:
    """Return the lines of sight, (n, 3), of bearings and elevations, (n,) each."""
    ground = np.cos(elevation_rad)
    sight = np.empty((*ground.shape, 3))  # filled by axis: np.stack takes four times as long
    sight[..., 0] = ground * np.sin(bearing_rad)
    sight[..., 1] = ground * np.cos(bearing_rad)
    sight[..., 2] = np.sin(elevation_rad)
    return sight
