"""The hull and what strikes it."""

import numpy as np
import pytest

from qiki.botspec.planes import HullParameters
from qiki.world.vehicle.systems import Hull

DT_S = 0.05


def meet(before: list[float], after: list[float]) -> tuple[int, float]:
    hull = Hull(HullParameters(radius_m=1.0, damage_pct_per_kj=1.0))
    return hull.meet(np.array([before]), np.array([after]), 62.0, DT_S), hull.integrity_pct


def test_a_fast_contact_does_not_tunnel_through():
    struck, integrity = meet([-10.0, 0.5, 0.0], [10.0, 0.5, 0.0])
    assert struck == 1
    assert integrity == 0.0  # 400 m/s


def test_damage_goes_by_energy():
    _, integrity = meet([2.0, 0.0, 0.0], [0.0, 0.0, 0.0])
    assert integrity == pytest.approx(100.0 - 0.5 * 62.0 * 40.0**2 / 1000.0)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([-10.0, 1.1, 0.0], [10.0, 1.1, 0.0]),  # passes by
        ([3.0, 0.0, 0.0], [2.0, 0.0, 0.0]),  # not there yet
        ([2.0, 0.0, 0.0], [4.0, 0.0, 0.0]),  # leaves
        ([0.5, 0.0, 0.0], [0.2, 0.0, 0.0]),  # was inside already
        ([5.0, 0.0, 0.0], [5.0, 0.0, 0.0]),  # at rest
    ],
)
def test_no_strike(before: list[float], after: list[float]):
    assert meet(before, after) == (0, 100.0)


def test_nobody_is_there():
    assert Hull(HullParameters()).meet(np.zeros((0, 3)), np.zeros((0, 3)), 62.0, DT_S) == 0
