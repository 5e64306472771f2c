"""Stores of energy and the dock's supply."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qiki.botspec.planes import DockSupplyParameters, StorageParameters
from qiki.world.vehicle.power import DockSupply, Storage

DT_S = 0.05


def store(start_pct: float = 50.0) -> Storage:
    return Storage(
        StorageParameters(capacity_wh=1.0, start_pct=start_pct, charge_limit_w=100.0, discharge_limit_w=200.0)
    )


def test_an_hour_at_a_tenth_of_a_watt_takes_a_tenth_of_a_watt_hour():
    battery = store()
    battery.move(0.1, 3600.0)
    assert battery.soc_pct == pytest.approx(40.0)
    assert battery.power_w == 0.1


def test_limits_of_power():
    assert store().deliverable_w(DT_S) == 200.0
    assert store().acceptable_w(DT_S) == 100.0


def test_empty_gives_nothing_and_full_takes_nothing():
    assert store(0.0).deliverable_w(DT_S) == 0.0
    assert store(100.0).acceptable_w(DT_S) == 0.0


@given(st.lists(st.floats(-1.0, 1.0), max_size=50), st.floats(0.0, 100.0))
def test_what_goes_in_comes_out(shares: list[float], start_pct: float):
    battery = store(start_pct)
    before, moved_j = battery.soc_pct, 0.0
    for share in shares:
        power_w = share * (battery.deliverable_w(60.0) if share > 0 else battery.acceptable_w(60.0))
        battery.move(power_w, 60.0)
        moved_j += power_w * 60.0
    assert 0.0 <= battery.soc_pct <= 100.0
    assert battery.soc_pct == pytest.approx(before - moved_j / 36.0, abs=1e-6)


def test_the_dock_ramps_up_in_its_soft_start_and_again_after_a_break():
    dock = DockSupply(DockSupplyParameters())
    offers = [dock.offer_w(0.5, connected=True) for _ in range(5)]
    assert offers == [62.5, 125.0, 187.5, 250.0, 250.0]
    assert dock.offer_w(0.5, connected=False) == 0.0
    assert dock.offer_w(0.5, connected=True) == 62.5


def test_the_dock_is_bound_by_current_too():
    dock = DockSupply(DockSupplyParameters(current_limit_a=5.0))
    assert dock.offer_w(10.0, connected=True) == 140.0
    assert dock.current_a(140.0) == 5.0
