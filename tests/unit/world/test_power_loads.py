"""Sharing a budget among the loads."""

from hypothesis import given
from hypothesis import strategies as st

from qiki.world.vehicle.loads import DIVISIBLE, SHED_ORDER, Load, allocate

watts = st.floats(0.0, 500.0)
demands = st.fixed_dictionaries(dict.fromkeys(Load, watts))


def test_the_radar_goes_last_but_one_and_the_transponder_last():
    assert SHED_ORDER[-2:] == (Load.RADAR, Load.TRANSPONDER)


def test_everything_fits():
    wanted = {Load.RADAR: 18.0, Load.TRANSPONDER: 6.0, Load.MOTION: 20.0}
    assert allocate(44.0, wanted, (), 10.0) == dict.fromkeys(Load, 0.0) | wanted


def test_motion_is_throttled_before_the_radar_is_touched():
    granted = allocate(40.0, {Load.RADAR: 18.0, Load.TRANSPONDER: 6.0, Load.MOTION: 40.0, Load.NBL: 5.0}, (), 10.0)
    assert (granted[Load.RADAR], granted[Load.TRANSPONDER]) == (18.0, 6.0)
    assert granted[Load.MOTION] == 16.0
    assert granted[Load.NBL] == 0.0


def test_a_shed_load_waits_for_a_margin():
    wanted = {Load.RADAR: 18.0}
    assert allocate(27.9, wanted, {Load.RADAR}, 10.0)[Load.RADAR] == 0.0
    assert allocate(28.0, wanted, {Load.RADAR}, 10.0)[Load.RADAR] == 18.0


@given(st.floats(-100.0, 1000.0), demands, st.sets(st.sampled_from(list(Load))), st.floats(0.0, 50.0))
def test_never_more_than_there_is_nor_than_was_asked_for(
    budget_w: float, wanted: dict[Load, float], shed: set[Load], margin_w: float
):
    granted = allocate(budget_w, wanted, shed, margin_w)
    assert sum(granted.values()) <= max(budget_w, 0.0) + 1e-9
    assert all(0.0 <= granted[load] <= wanted[load] for load in Load)


@given(st.floats(0.0, 1000.0), demands, st.sets(st.sampled_from(list(Load))))
def test_nothing_less_needed_runs_once_a_load_is_cut(budget_w: float, wanted: dict[Load, float], shed: set[Load]):
    granted = allocate(budget_w, wanted, shed, 10.0)
    cut = [position for position, load in enumerate(SHED_ORDER) if granted[load] < wanted[load]]
    for position in range(max(cut, default=0)):
        assert granted[SHED_ORDER[position]] == 0.0


@given(st.floats(0.0, 1000.0), demands)
def test_what_cannot_be_divided_runs_fully_or_not_at_all(budget_w: float, wanted: dict[Load, float]):
    granted = allocate(budget_w, wanted, (), 0.0)
    assert all(granted[load] in {0.0, wanted[load]} for load in Load if load not in DIVISIBLE)
