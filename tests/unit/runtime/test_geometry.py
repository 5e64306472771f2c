"""Spherical and Cartesian: bearing clockwise from north, elevation up."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qiki.geometry import spherical, unit_vectors

ROOT2 = 2**0.5


@pytest.mark.parametrize(
    ("point", "range_m", "bearing_deg", "elevation_deg"),
    [
        ((0, 1, 0), 1, 0, 0),
        ((1, 0, 0), 1, 90, 0),
        ((0, -1, 0), 1, 180, 0),
        ((-1, 0, 0), 1, 270, 0),
        ((1, 1, 0), ROOT2, 45, 0),
        ((0, 0, 2), 2, 0, 90),
        ((0, 3, -3), 3 * ROOT2, 0, -45),
        ((0, 0, 0), 0, 0, 0),
    ],
)
def test_points_by_hand(point: tuple, range_m: float, bearing_deg: float, elevation_deg: float):
    distance, bearing, elevation = spherical(np.array([point], dtype=float))
    assert distance[0] == pytest.approx(range_m)
    assert np.degrees(bearing[0]) == pytest.approx(bearing_deg)
    assert np.degrees(elevation[0]) == pytest.approx(elevation_deg)


coordinates = st.floats(-1e6, 1e6)


@given(st.lists(st.tuples(coordinates, coordinates, coordinates), max_size=8))
def test_there_and_back(points: list[tuple[float, float, float]]):
    relative = np.array(points, dtype=float).reshape(-1, 3)
    range_m, bearing, elevation = spherical(relative)
    assert ((bearing >= 0) & (bearing < 2 * np.pi)).all()
    np.testing.assert_allclose(range_m[:, None] * unit_vectors(bearing, elevation), relative, rtol=1e-9, atol=1e-8)


def test_a_hair_west_of_north_is_north():
    assert spherical(np.array([[-1e-20, 1.0, 0.0]]))[1] == 0.0


def test_lines_of_sight_have_unit_length():
    angles = np.linspace(-7, 7, 50)
    np.testing.assert_allclose(np.linalg.norm(unit_vectors(angles, angles[::-1]), axis=1), 1.0)
